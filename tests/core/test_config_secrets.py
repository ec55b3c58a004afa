"""References to secrets, and secrets that stand where they should not."""

import base64
import os

import pytest

from aggregator import config as configs
from aggregator.errors import ConfigError
from aggregator.settings import Secret

KEY = "whsec_" + base64.b64encode(b"k" * 24).decode()
HOOK = 'channels:\n  hook: {{type: webhook, url: "https://h.org/", secret: "{}"}}\n'


def load(folder, text, environ=None):
    path = folder / "feeds.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return configs.load(path, environ or {})


def secret_file(path, content, mode=0o600):
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_reference_is_followed_where_a_secret_may_stand(tmp_path):
    secret_file(tmp_path / "secrets" / "hook", f"{KEY}\n")
    secret_file(tmp_path / "creds" / "smtp", "pass word\r\n")
    config = load(
        tmp_path,
        """
settings:
  network: {proxy: "${env:PROXY}"}
  smtp: {username: "${env:WHO}", password: "${cred:smtp}"}
feeds: [{url: "https://a.org", headers: {Authorization: "Bearer ${env:TOKEN}-${env:TOKEN}"}}]
channels:
  desk: {type: email, to: ["${env:WHO}@b.org"]}
  hook: {type: webhook, url: "https://h.org/${env:TOKEN}", secret: "${file:secrets/hook}"}
""",
        {
            "PROXY": "http://u:p@proxy:3128",
            "WHO": "me",
            "TOKEN": "t0k",
            "CREDENTIALS_DIRECTORY": str(tmp_path / "creds"),
        },
    )
    assert config.settings.network.proxy.reveal().startswith("http://u:p@proxy:3128")
    assert config.settings.smtp.username == "me"
    assert config.settings.smtp.password == Secret("pass word")
    assert config.feeds[0].headers == (("Authorization", Secret("Bearer t0k-t0k")),)
    assert config.channels[0].to == ("me@b.org",)
    assert config.channels[1].url == Secret("https://h.org/t0k")
    assert config.channels[1].secret == Secret(KEY)
    assert not [warning for warning in config.warnings if "secret" in warning]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("${env:NOPE}", "${env:NOPE}: there is no environment variable NOPE"),
        ("${env:EMPTY}", "${env:EMPTY}: there is no environment variable EMPTY"),
        ("${file:nope}", "${file:nope}: cannot be read (No such file or directory)"),
        ("${file:.}", "${file:.}: cannot be read (Is a directory)"),
        ("${file:long}", "${file:long}: is larger than 64 KiB, so it is no secret"),
        ("${file:binary}", "${file:binary}: is no UTF-8 text"),
        ("${cred:x}", "${cred:x}: there is no CREDENTIALS_DIRECTORY"),
        ("${vault:x}", "a reference is ${env:NAME}, ${file:path} or ${cred:name}"),
        ("${HOME}", "a reference is ${env:NAME}, ${file:path} or ${cred:name}"),
        ("${env:X", "a reference is ${env:NAME}, ${file:path} or ${cred:name}"),
        ("${env:}", "a reference is ${env:NAME}, ${file:path} or ${cred:name}"),
    ],
)
def test_a_reference_that_leads_nowhere_is_a_fault_with_its_line(tmp_path, written, words):
    secret_file(tmp_path / "long", "x" * 70_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, HOOK.format(written), {"EMPTY": "", "X": "x"})
    (problem,) = caught.value.problems
    assert problem.startswith(f"feeds.yaml:2:56: channels.hook.secret: {words}")


def test_a_credential_stays_inside_its_folder(tmp_path):
    secret_file(tmp_path / "outside", KEY)
    with pytest.raises(ConfigError, match="the name of a credential is no path"):
        load(tmp_path, HOOK.format("${cred:../outside}"), {"CREDENTIALS_DIRECTORY": str(tmp_path / "creds")})


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        (HOOK.format("whsec_hunter2hunter2"), {}),
        (HOOK.format("${env:X}"), {"X": "hunter2"}),
        ("channels: {h: {type: webhook, url: 'hunter2:x'}}", {}),
        ("channels: {h: {type: webhook, url: 'gopher://hunter2'}}", {}),
        ("channels: {h: {type: email, to: ['${env:X}']}}", {"X": "hunter2"}),
        ("settings: {smtp: {username: a, password: [hunter2]}}", {}),
        ("settings: {smtp: {username: a, password: {hunter: hunter2}}}", {}),
        ("settings: {smtp: {password: hunter2}}", {}),
        ("settings: {network: {proxy: 'hunter2'}}", {}),
        ("feeds: [{url: 'https://a.org', headers: {Authorization: \"hunter2\\nx\"}}]", {}),
        ("settings: {smtp: {port: x}}", {"AGGREGATOR_SMTP__PASSWORD": "hunter2"}),
    ],
)
def test_no_problem_shows_a_secret(tmp_path, text, environ):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, environ)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (HOOK.format(KEY), "2:56: channels.hook.secret"),
        ("settings: {smtp: {username: a, password: hunter2}}", "1:42: settings.smtp.password"),
        ("settings: {network: {proxy: 'http://u:hunter2@proxy'}}", "1:29: settings.network.proxy"),
        ("feeds: [{url: 'https://a.org', headers: {X-Api-Key: hunter2}}]", "1:53: feeds.0.headers.X-Api-Key"),
        ("feeds: [{url: 'https://u:hunter2@a.org/x'}]", "1:15: feeds.0.url"),
        (
            "channels: {h: {type: webhook, url: 'https://chat.org/services/T0000/Bhunter2hunter2hunter2'}}",
            "1:36: channels.h.url",
        ),
    ],
)
def test_a_secret_in_the_file_itself_draws_a_warning_that_does_not_show_it(tmp_path, text, place):
    (warning,) = (line for line in load(tmp_path, text).warnings if "a secret stands in the file itself" in line)
    assert warning.startswith(f"feeds.yaml:{place}: ")
    assert "hunter2" not in warning


@pytest.mark.parametrize(
    "text",
    [
        "feeds: [{url: 'https://a.org', headers: {User-Agent: x, Accept-Language: fa}}]",
        "channels: {h: {type: webhook, url: 'http://localhost:8000/hook'}}",
        "settings: {network: {proxy: 'http://proxy:3128'}}",
    ],
)
def test_what_is_no_secret_draws_none(tmp_path, text):
    assert not [warning for warning in load(tmp_path, text).warnings if "secret" in warning]


def test_a_file_with_secrets_that_others_may_read_draws_a_warning(tmp_path):
    path = tmp_path / "feeds.yaml"
    path.write_text(HOOK.format(KEY))
    for mode, loose in [(0o644, True), (0o640, True), (0o600, False), (0o400, False)]:
        path.chmod(mode)
        found = [warning for warning in configs.load(path, {}).warnings if "others may read" in warning]
        assert bool(found) == loose, oct(mode)
    path.write_text(HOOK.format("${env:KEY}"))
    path.chmod(0o644)
    assert not [warning for warning in configs.load(path, {"KEY": KEY}).warnings if "others" in warning], (
        "nothing to read"
    )


def test_a_secret_file_that_others_may_read_draws_a_warning(tmp_path):
    file = secret_file(tmp_path / "key", KEY, 0o644)
    (warning,) = (w for w in load(tmp_path, HOOK.format("${file:key}")).warnings if "others may read" in w)
    assert warning == f"{file}: others may read the secret in it (mode 0644): chmod 600 {file}"


def test_the_process_environment_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "HOOK_SECRET", KEY)
    path = tmp_path / "feeds.yaml"
    path.write_text(HOOK.format("${env:HOOK_SECRET}"))
    assert configs.load(str(path)).channels[0].secret == Secret(KEY)
