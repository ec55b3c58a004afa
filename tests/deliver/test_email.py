import asyncio
import re
import ssl

import pytest
import trustme
from aiosmtpd import smtp as aiosmtpd
from hypothesis import given, settings
from hypothesis import strategies as st
from support.alerts import DARI, ENGLISH, NOW, PASHTO, alert, message
from support.mailbox import Mailbox, serving

from aggregator.deliver.email import EmailSender
from aggregator.model import Item, NotDelivered, Receipt
from aggregator.settings import Secret, Smtp

OK = Receipt(code="250")

# The server's own advice; login without TLS is what is tested.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


def sender_to(port, *, timeout_s=5.0, tls=None, **smtp):
    given = {"host": "127.0.0.1", "port": port, "sender": "Monitor <monitor@example.org>", **smtp}
    return EmailSender(Smtp(**given), "3f2a", tls=tls, clock=lambda: NOW, timeout_s=timeout_s)


def delivered(mailbox, *messages, server=None, **sender_options):
    """What each message came to, sent in turn through one sender."""

    async def run():
        async with serving(mailbox, **(server or {})) as port:
            sender = sender_to(port, **sender_options)
            try:
                return [await sender.send(one) for one in messages or (message(),)]
            finally:
                await sender.aclose()

    return asyncio.run(run())


# ---------------------------------------------------------------- what arrives


@pytest.mark.parametrize("item", [ENGLISH, DARI, PASHTO])
def test_a_mail_arrives_whole_in_two_forms(item):
    mailbox = Mailbox()
    assert delivered(mailbox, message(alert(item))) == [OK]
    ((envelope,), (mail,)) = mailbox.taken, mailbox.read()
    assert envelope.mail_from == "monitor@example.org"
    assert envelope.rcpt_tos == ["desk@example.org"]
    assert envelope.content.isascii()
    assert mail["Subject"] == f"[Desk 1] {item.title}"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert item.content[:60] in text.get_content().replace("*", "")
    assert f'lang="{item.lang}"' in html.get_content()


def test_headers_name_the_message_its_thread_and_its_list():
    mailbox = Mailbox()
    delivered(mailbox, message(alert(), id="3f2a.12"), message(alert(update=True), id="3f2a.13"))
    first, update = mailbox.read()
    assert set(first.keys()) == {
        "Subject", "From", "To", "Date", "Message-ID", "In-Reply-To", "References", "List-Id", "Auto-Submitted",
        "MIME-Version", "Content-Type", "X-Peer", "X-MailFrom", "X-RcptTo",
    } - {"X-Peer", "X-MailFrom", "X-RcptTo"}  # fmt: skip
    assert first["From"] == "Monitor <monitor@example.org>"
    assert first["To"] == "desk@example.org"
    assert first["Date"] == "Tue, 24 Nov 2026 08:05:11 +0000"
    assert (first["Message-ID"], update["Message-ID"]) == ("<3f2a.12@3f2a>", "<3f2a.13@3f2a>")
    assert first["References"] == first["In-Reply-To"] == update["References"] == "<story.4@3f2a>"
    assert first["List-Id"] == "<desk-1.3f2a>"
    assert first["Auto-Submitted"] == "auto-generated"


def test_a_mail_of_many_stories_belongs_to_no_thread():
    mailbox = Mailbox()
    same = message(alert(label="فهرست"), alert(DARI, label="فهرست"))
    delivered(mailbox, same, message(alert(), alert(label="Desk 2")))
    one_list, two_lists = mailbox.read()
    assert one_list["References"] is None
    assert re.fullmatch(r"<[0-9a-f]{8}\.3f2a>", one_list["List-Id"])
    assert two_lists["List-Id"] is None
    assert two_lists["Subject"] == "2 alerts: Desk 1 1, Desk 2 1"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(max_size=300), min_size=5, max_size=5))
def test_no_title_adds_a_header_or_costs_an_alert(titles):
    titles += [
        "a\r\nBcc: x@example.org\r\n\r\nbody",
        "=?utf-8?q?a=0ABcc:x?=",
        "\n.\r\n.\r\nMAIL FROM:<x>",
        "طالبان " * 60,
    ]
    mailbox = Mailbox()
    results = delivered(mailbox, *(message(alert(Item(title=title + " general amnesty"))) for title in titles))
    assert results == [OK] * len(titles)
    assert len(mailbox.taken) == len(titles)
    for mail in mailbox.read():
        assert len(mail.keys()) == 11
        assert mail["Bcc"] is None
        assert not mail.defects
        assert len(mail["Subject"]) <= 200


def test_spaces_between_words_of_a_long_dari_title_stay():
    mailbox = Mailbox()
    title = " ".join(["سخنگوی", "طالبان:", "عفو", "عمومی", "UNAMA", "پابرجاست"] * 4)
    delivered(mailbox, message(alert(title=title)))
    assert mailbox.read()[0]["Subject"] == f"[Desk 1] {title}"


def test_letters_of_all_scripts_in_addresses():
    mailbox = Mailbox()
    wide, narrow = message(recipient="دفتر@مثال.example"), message(recipient="desk@مثال.example")
    assert delivered(mailbox, wide, narrow) == [OK, OK]
    first, second = mailbox.taken
    assert first.rcpt_tos == ["دفتر@xn--mgbh0fb.example"]
    assert second.rcpt_tos == ["desk@xn--mgbh0fb.example"]
    assert first.smtp_utf8
    assert not second.smtp_utf8
    assert mailbox.read()[0]["To"] == "دفتر@xn--mgbh0fb.example"
    assert mailbox.read()[0]["Subject"] == f"[Desk 1] {ENGLISH.title}"


def test_an_address_that_the_server_cannot_take_is_final():
    wide = message(recipient="دفتر@example.org")
    (result,) = delivered(Mailbox(), wide, server={"enable_SMTPUTF8": False})
    assert isinstance(result, NotDelivered)
    assert (result.code, result.final) == ("smtputf8", True)


@pytest.mark.parametrize(
    "recipient", ["desk@example.org>\r\nRCPT TO:<x@example.org", f"desk@{'ü' * 80}.org", "desk@ü..org"]
)
def test_an_address_that_cannot_be_written_is_final_and_costs_no_other_mail(recipient):
    mailbox = Mailbox()
    bad, good = delivered(mailbox, message(recipient=recipient), message())
    assert isinstance(bad, NotDelivered)
    assert (bad.code, bad.final) == ("unsendable", True)
    assert good == OK
    assert [envelope.rcpt_tos for envelope in mailbox.taken] == [["desk@example.org"]]


# ---------------------------------------------------------------- what the server says


@pytest.mark.parametrize(
    ("answer", "final"),
    [("450 later", False), ("451 greylisted", False), ("452 full", False), ("550 no such user", True), ("552 full", False), ("553 bad", True)],
)  # fmt: skip
def test_a_refused_recipient_is_final_only_for_good(answer, final):
    mailbox = Mailbox(rcpt={"bad@example.org": answer})
    refused, taken = delivered(mailbox, message(recipient="bad@example.org"), message())
    assert refused == NotDelivered(code=answer[:3], error=answer, final=final)
    assert taken == OK, "one recipient's refusal costs the next one nothing"


@pytest.mark.parametrize(("answer", "final"), [("451 try later", False), ("552 too much", False), ("554 no", True)])
def test_a_refused_text_is_final_only_for_good(answer, final):
    refused, taken = delivered(Mailbox(answer), message(), message())
    assert refused == NotDelivered(code=answer[:3], error=answer, final=final)
    assert taken == OK


def test_a_connection_lost_after_the_text_is_tried_again_under_the_same_id():
    mailbox = Mailbox("drop")
    lost, taken = delivered(mailbox, message(), message())
    assert isinstance(lost, NotDelivered)
    assert (lost.code, lost.final) == ("connect", False)
    assert taken == OK
    assert len({mail["Message-ID"] for mail in mailbox.read()}) == 1


def test_a_hanging_server_ends_in_time_and_the_next_message_gets_a_new_connection():
    mailbox = Mailbox("hang")
    hung, taken = delivered(mailbox, message(), message(), timeout_s=1.0)
    assert isinstance(hung, NotDelivered)
    assert (hung.code, hung.final) == ("timeout", False)
    assert taken == OK


def test_messages_that_wait_for_a_hanging_server_share_its_time_out():
    async def say_nothing(reader, writer):
        await reader.read()
        writer.close()

    async def run():
        server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        sender = sender_to(server.sockets[0].getsockname()[1], timeout_s=0.3)
        began = asyncio.get_running_loop().time()
        results = await asyncio.gather(*(sender.send(message(id=str(n))) for n in range(10)))
        took = asyncio.get_running_loop().time() - began
        await sender.aclose()
        server.close()
        await server.wait_closed()
        return results, took

    results, took = asyncio.run(run())
    assert {result.code for result in results} == {"timeout"}
    assert took < 1.5, "ten time-outs one after another would take 3 s"


def test_nobody_listening_is_a_failure_that_may_pass():
    async def run():
        async with serving(Mailbox()) as port:
            pass
        return await sender_to(port).send(message())

    result = asyncio.run(run())
    assert isinstance(result, NotDelivered)
    assert (result.code, result.final) == ("connect", False)


def test_messages_in_a_row_use_one_connection():
    mailbox = Mailbox()
    assert delivered(mailbox, *(message(id=f"m.{n}") for n in range(60))) == [OK] * 60
    assert len(mailbox.sessions) == 1
    assert len({mail["Message-ID"] for mail in mailbox.read()}) == 60


def test_a_server_that_closed_meanwhile_costs_nothing():
    async def run(mailbox):
        async with serving(mailbox, timeout=0.2) as port:
            sender = sender_to(port)
            results = [await sender.send(message())]
            await asyncio.sleep(0.5)
            results.append(await sender.send(message()))
            await sender.aclose()
            return results

    mailbox = Mailbox()
    assert asyncio.run(run(mailbox)) == [OK, OK]
    assert len(mailbox.sessions) == 2


# ---------------------------------------------------------------- security


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def trust(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def secured(server_tls, security):
    return {"outer_tls": server_tls} if security == "tls" else {"tls_context": server_tls, "require_starttls": True}


def allow(_server, _session, _envelope, _mechanism, login):
    return aiosmtpd.AuthResult(success=login == aiosmtpd.LoginPassword(b"monitor", b"pa55w0rd"), handled=False)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_and_login_go_through_a_verified_channel(server_tls, trust, security):
    mailbox = Mailbox()
    server = secured(server_tls, security) | {"authenticator": allow, "auth_required": True}
    server |= {"auth_require_tls": security == "starttls"}  # aiosmtpd does not see the outer TLS
    login = {"username": "monitor", "password": Secret("pa55w0rd")}
    assert delivered(mailbox, server=server, tls=trust, security=security, **login) == [OK]
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_unknown_certificate_is_never_accepted(server_tls, security):
    mailbox = Mailbox()
    (result,) = delivered(mailbox, server=secured(server_tls, security), security=security)
    assert isinstance(result, NotDelivered)
    assert (result.code, result.final) == ("tls", False)
    assert not mailbox.taken


def test_a_server_without_starttls_gets_no_mail_in_the_clear():
    mailbox = Mailbox()
    (result,) = delivered(mailbox, security="starttls")
    assert isinstance(result, NotDelivered)
    assert not result.final
    assert not mailbox.taken


def test_a_refused_login_may_pass_and_shows_no_password():
    server = {"authenticator": allow, "auth_required": True, "auth_require_tls": False}
    (result,) = delivered(Mailbox(), server=server, username="monitor", password=Secret("wr0ng-pa55"))
    assert result == NotDelivered(code="535", error="the mail server refused the login")
