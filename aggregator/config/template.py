"""The feeds.yaml that `aggregator init` writes: small, commented, and at work as it stands."""

from __future__ import annotations

_STARTER = """\
# What to watch, what to look for, whom to tell. Every key: docs/config.md
# After an edit: aggregator config check

feeds:
  - url: https://tolonews.com/rss.xml
    name: TOLOnews
    lang: en
    tags: [afghanistan]
  - url: https://tolonews.com/fa/rss.xml
    name: TOLOnews Dari
    lang: fa
    tags: [afghanistan]

# An idea, spelled in each language. One term per entry; several words in one entry are a phrase.
concepts:
  taliban:
    en: [Taliban, Taleban]
    fa: [طالبان, طالب]
    ps: [طالبان, طالبانو*, طالب]         # * finds also what was written together behind it
    except: [جلال طالبانی, ابی طالب, طالب علم]     # men of that name, students
  amnesty:
    en: [general amnesty, amnesty decree]
    fa: [عفو عمومی]
    ps: [عمومي عفوه]
    except: [Amnesty International]      # the organisation is not the decree
  relocation:
    en: [relocation, relocate, resettlement, evacuation]
    fa: [اسکان مجدد]
    ps: [بیا مېشت کول]

watchlists:
  - name: amnesty-and-relocation
    rule: "@taliban AND (@amnesty OR @relocation)"
    severity: high
  # - name: any-of-these-words
  #   keywords: [prisoner release, special immigrant visa]

# Without channels, alerts appear on the console. Secrets stay outside this file.
# channels:
#   desk: {type: email, to: [desk@example.org]}
#   hook: {type: webhook, url: "${env:HOOK_URL}", secret: "${env:HOOK_SECRET}"}

# settings:
#   notify_operator: [desk]              # told when a feed falls silent or fails
#   smtp: {host: localhost, port: 25, sender: monitor@localhost}
"""


def starter() -> str:
    """The text of a first feeds.yaml."""
    return _STARTER
