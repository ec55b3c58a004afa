"""Three feeds on loopback and a feeds.yaml for them: good news, Persian news, and one that fails."""

from support import world as web

HOSTILE = "[/x] [red]Taliban\u009b31m\u202egnp.exe \x1b]52;c;ZXZpbA==\x07 general amnesty"


def publish(world):
    world.pages["/news"] = web.rss(
        ("1", "Taliban announce a general amnesty", world.url("/1"), "For all, says the decree."),
        ("2", HOSTILE.replace("\x1b", "").replace("\x07", ""), world.url("/2"), "An unfriendly title."),
        ("3", "Rain in Herat", world.url("/3"), "It rained."),
    )
    world.pages["/dari"] = web.rss(("1", "طالبان عفو عمومی اعلام کرد", world.url("/4"), "در کابل"))
    world.pages["/broken"] = (500, {}, b"no")


def write_config(here, world, more=""):
    (here / "feeds.yaml").write_text(
        "settings:\n"
        "  full_text: never\n"
        "  network: {allow_private_feeds: true, allow_private_webhooks: true, ports: any}\n"
        "  polling: {floor: 1m, host_gap: 0s, per_host: 64}\n"
        "feeds:\n"
        f"  - {{url: '{world.url('/news')}', name: News, lang: en}}\n"
        f"  - {{url: '{world.url('/dari')}', name: Dari, lang: fa}}\n"
        f"  - {{url: '{world.url('/broken')}', name: Broken}}\n"
        "concepts:\n"
        "  taliban: {en: [Taliban], fa: [طالبان]}\n"
        "  amnesty: {en: [general amnesty], fa: [عفو عمومی]}\n"
        "watchlists:\n"
        "  - {name: amnesty-watch, rule: '@taliban AND @amnesty', severity: high}\n"
        "  - {name: rain, keywords: [rain]}\n" + more
    )
