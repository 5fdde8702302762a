"""A set of reference data that is written is read as the same."""

from hypothesis import given
from hypothesis import strategies as st

from registry.cli.refdata.reader import read_reference_file
from registry.cli.refdata.writer import write_reference_files, write_yaml
from registry.domain.reference_set import (
    ReferenceApplication,
    ReferenceLogo,
    ReferenceOrganization,
    ReferenceSet,
    ReferenceTemplate,
    ReferenceType,
    Sending,
)
from tests.cli.refdata.conftest import a_png

URL = dict.fromkeys(("nl", "fr", "de"), "https://sandbox.example")
PNG = a_png(8)

_IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._~:@-]{0,20}", fullmatch=True)
_CHARACTERS = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co"))
_LINES = st.text(_CHARACTERS, min_size=1, max_size=40).filter(str.strip)
_TEXTS = st.text(_CHARACTERS | st.just("\n"), min_size=1, max_size=200).filter(str.strip)


def _translations(texts):
    return st.fixed_dictionaries({"nl": texts, "fr": texts, "de": texts})


_LOGOS = st.dictionaries(
    _IDS,
    st.builds(
        ReferenceLogo,
        media_type=st.just("image/png"),
        content=st.just(PNG),
        language=st.sampled_from([None, "nl", "fr", "de"]),
    ),
    max_size=2,
)
_APPLICATIONS = st.builds(
    ReferenceApplication,
    name=_translations(_LINES),
    description=st.none() | _translations(_TEXTS),
    url=st.none() | st.just(URL),
    contact_business=st.none() | _LINES,
    contact_technical=st.none() | _LINES,
    logos=_LOGOS,
)
_TEMPLATES = st.builds(
    ReferenceTemplate,
    message_type_id=st.just("no"),
    name=_translations(_LINES),
    body=st.none() | _translations(_TEXTS),
)


_ORGANIZATIONS = st.builds(
    ReferenceOrganization,
    short_name=_translations(_LINES),
    long_name=st.none() | _translations(_LINES),
    url=st.none() | st.just(URL),
    contact_business=st.none() | _LINES,
    contact_technical=st.none() | _LINES,
    logos=_LOGOS,
)


@given(
    organizations=st.dictionaries(
        st.sampled_from(("0206731645", "0308357159")), _ORGANIZATIONS, min_size=1
    ),
    applications=st.dictionaries(_IDS, _APPLICATIONS, max_size=3),
    templates=st.dictionaries(_IDS, _TEMPLATES, max_size=3),
    validity=st.sampled_from([(1, "day"), (6, "month"), (100, "year")]),
)
def test_what_is_written_is_read_as_the_same(
    tmp_path_factory, organizations, applications, templates, validity
):
    kind = ReferenceType(
        name=URL, description=None, validity_number=validity[0], validity_unit=validity[1]
    )
    written = ReferenceSet(
        organizations=organizations,
        applications=applications,
        message_types={"no": kind},
        templates=templates,
        sendings=frozenset(
            Sending(number, each, "no") for number in organizations for each in applications
        ),
    )
    path = tmp_path_factory.mktemp("written") / "reference.yaml"

    write_reference_files(written, path)
    read = read_reference_file(path, check_digits=True)

    assert read == written
    assert write_yaml(read) == path.read_text(encoding="utf-8")
