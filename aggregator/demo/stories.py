"""The demo's newsroom: outlets, what they report, and the alerts that are promised for it.

Every outlet, person, place and event is invented. Texts are data; `newsroom` serves them, `script` keeps the promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

FeedFormat = Literal["rss20", "rss10", "atom10", "json11", "truncated", "error page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One report: what stands in the feed, and the paragraphs of its page."""

    slug: str
    title: str
    summary: str
    page: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """An invented outlet. `edits` replace stories of the same slug when the newsroom goes to its second edition."""

    slug: str
    name: str
    lang: str
    format: FeedFormat
    stories: tuple[Story, ...] = ()
    edits: tuple[Story, ...] = ()

    @property
    def path(self) -> str:
        """Where its feed stands on the loopback server."""
        return f"/{self.slug}/feed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """An alert that must arrive exactly once on each of its channels."""

    watchlist: str  # by its label
    told: str  # what it shows, for people
    pages: tuple[str, ...]  # the link may be any of these
    terms: frozenset[str]
    update: bool = False
    channels: tuple[str, ...] = ("mail", "webhook")


# ---------------------------------------------------------------- reports

_GUIDING: Final = Story(
    slug="press-conference",
    title="Taliban spokesman meets reporters in Gulbagh",
    summary="A press conference was held in the provincial guest house on Tuesday.",
    page=(
        "The spokesman received eleven reporters in the provincial guest house of Gulbagh and answered questions for an hour.",
        "He said that a general amnesty for former employees of the water board would be written down and read out in every district.",
        "Asked about families who had left the Shirin valley, he said that their relocation would be paid for until the end of winter.",
        "The water board's own union said that it had not seen the text and would comment when it had.",
    ),
)  # fmt: skip

_WIRE: Final = Story(
    slug="bridge",
    title="Bridge at the Zarrin border crossing opens again",
    summary=(
        "The wooden bridge at the Zarrin border crossing was opened again on Wednesday after nine weeks of repairs, and the first "
        "lorries with apples and onions rolled over it before noon, drivers and customs officers said."
    ),
    page=(
        "The wooden bridge at the Zarrin border crossing was opened again on Wednesday after nine weeks of repairs.",
        "The first lorries with apples and onions rolled over it before noon, drivers and customs officers said.",
        "Forty carpenters had replaced the planks and two of the pillars. Pedestrians may use the bridge from dawn to dusk.",
    ),
)  # fmt: skip

_FAIR: Final = Story(
    slug="pomegranates",
    title="Pomegranate growers open their autumn fair",
    summary="Growers from six villages show their fruit in Gulbagh until Friday.",
    page=(
        "Growers from six villages show their fruit in the old caravanserai of Gulbagh until Friday. Admission is free of charge.",
        "The sweetest fruit of the fair will be chosen by three schoolchildren, who were drawn by lot on Monday afternoon.",
    ),
)

_LIBRARY: Final = Story(
    slug="library",
    title="Travelling library reaches its hundredth village",
    summary="The yellow bus has lent out four thousand books since spring.",
    page=(
        "The yellow bus of the travelling library reached its hundredth village on Monday and was met with tea and drums.",
        "It has lent out four thousand books since spring, and all but twelve of them have come back to its shelves so far.",
    ),
)

_FLOOD: Final = Story(
    slug="river",
    title="Flood water closes the road to Gulbagh",
    summary="The river left its bed on Tuesday night. Nobody was hurt.",
    page=(
        "The river left its bed on Tuesday night and flood water closed the road to Gulbagh for two hours. Nobody was hurt.",
        "Road workers laid sandbags along the bazaar, and the baker moved his oven to the upper floor of the neighbouring house.",
    ),
)

_FLOOD_LATER: Final = Story(
    slug="river",
    title=_FLOOD.title,
    summary="The river left its bed on Tuesday night. The district now asks for the evacuation of two hamlets. Nobody was hurt.",
    page=_FLOOD.page,
)

_SIREN: Final = Story(
    slug="siren",
    title="Village tests its new flood siren",
    summary="The siren on the school of Darband was heard nine kilometres away.",
    page=(
        "The new siren on the roof of the school of Darband was tested on Sunday and was heard in hamlets nine kilometres away.",
        "It was paid for by the weavers of the village, who lost their looms to a flood four years ago and have not forgotten it.",
    ),
)

_DARI: Final = Story(
    slug="commission",
    title="کمیسیون طالبان در شهر خیالی گل‌باغ نشست برگزار کرد",
    # عمومي and مجدد are written with the Arabic letter yeh, as many sites do.
    summary="اعضای کمیسیون دربارهٔ عفو عمومي کارمندان پیشین و اسکان مجدد خانواده‌های آواره گفت‌وگو کردند.",
    page=(
        "اعضای کمیسیون روز سه‌شنبه در مهمان‌خانهٔ گل‌باغ گرد هم آمدند و دربارهٔ عفو عمومي کارمندان پیشین ادارهٔ آب گفت‌وگو کردند.",
        "آنان گفتند که اسکان مجدد خانواده‌هایی که درهٔ شیرین را ترک کرده‌اند تا پایان زمستان ادامه می‌یابد و هزینهٔ آن پرداخته می‌شود.",
    ),
)  # fmt: skip

_PASHTO: Final = Story(
    slug="decree",
    title="طالبانو په خیالي ګلباغ کې نوی فرمان ولوست",
    summary="په فرمان کې د اوبو د ادارې پخوانیو کارکوونکو ته عمومي بښنه اعلان شوې ده.",
    page=(
        "فرمان د سې شنبې په ورځ د ګلباغ په مېلمستون کې ولوستل شو او پکې د اوبو د ادارې پخوانیو کارکوونکو ته عمومي بښنه اعلان شوې ده.",
        "د ادارې اتحادیې وویل چې دوی لا د فرمان متن نه دی لیدلی او کله چې یې وګوري، نو خپل نظر به له خبریالانو سره شریک کړي.",
    ),
)  # fmt: skip

OUTLETS: Final = (
    Outlet(slug="courier", name="Kabul Courier (demo)", lang="en", format="rss20", stories=(_GUIDING, _FAIR)),
    Outlet(slug="pamir", name="Pamir Post (demo)", lang="en", format="atom10", stories=(_WIRE, _LIBRARY)),
    Outlet(slug="wire", name="Hindu Kush Wire (demo)", lang="en", format="json11", stories=(_WIRE,)),
    Outlet(slug="badghis", name="Badghis Record (demo)", lang="en", format="rss10", stories=(_WIRE,)),
    Outlet(slug="herat", name="Herat-nama (demo)", lang="fa", format="rss10", stories=(_DARI,)),
    Outlet(slug="khost", name="Khost Ghag (demo)", lang="ps", format="atom10", stories=(_PASHTO,)),
    Outlet(slug="balkh", name="Balkh Bulletin (demo)", lang="en", format="rss20", stories=(_FLOOD,), edits=(_FLOOD_LATER,)),
    Outlet(slug="laghman", name="Laghman Leaf (demo)", lang="en", format="truncated", stories=(_SIREN, _LIBRARY)),
    Outlet(slug="ghost", name="Ghost Gazette (demo)", lang="en", format="error page"),
)  # fmt: skip

# ---------------------------------------------------------------- what is watched and what is promised

WATCHED: Final = """\
concepts:
  taliban: {en: [Taliban], fa: [طالبان], ps: [طالبان]}
  amnesty: {en: [general amnesty], fa: [عفو عمومی], ps: [عمومي بښنه]}
  relocation: {en: [relocation, resettlement], fa: [اسکان مجدد, جابه‌جایی]}
watchlists:
  - name: amnesty-and-relocation
    label: amnesty-and-relocation
    rule: "@taliban AND (@amnesty OR @relocation)"
    severity: high
    notify: [desk, hook]
  - name: floods
    label: floods
    keywords: [flood, evacuation]
    notify: [desk, hook]
  - name: borders
    label: borders
    keywords: [border crossing]
    notify: [desk, hook]
"""

PROMISES: Final = (
    Promise(
        watchlist="amnesty-and-relocation",
        told="headline says only Taliban, the rest stands on the page",
        pages=("/courier/press-conference",),
        terms=frozenset({"taliban", "amnesty", "relocation"}),
    ),
    Promise(
        watchlist="amnesty-and-relocation",
        told="in Dari, spelled with Arabic letters",
        pages=("/herat/commission",),
        terms=frozenset({"taliban", "amnesty", "relocation"}),
    ),
    Promise(
        watchlist="amnesty-and-relocation",
        told="in Pashto, the name inflected",
        pages=("/khost/decree",),
        terms=frozenset({"taliban", "amnesty"}),
    ),
    Promise(
        watchlist="borders",
        told="one report in three outlets, told once",
        pages=("/pamir/bridge", "/wire/bridge", "/badghis/bridge"),
        terms=frozenset({"border crossing"}),
    ),
    Promise(watchlist="floods", told="first edition", pages=("/balkh/river",), terms=frozenset({"flood"})),
    Promise(
        watchlist="floods",
        told="the edit brings a new word",
        pages=("/balkh/river",),
        terms=frozenset({"evacuation"}),
        update=True,
    ),
    Promise(
        watchlist="floods",
        told="in a feed torn off in the middle",
        pages=("/laghman/siren",),
        terms=frozenset({"flood"}),
    ),
)
