"""Our own registry meets what is required of any."""

import pytest

from tests.yardstick.conftest import failures, untested

KINDS = [(family, version) for family in ("enterprise", "citizen") for version in ("v3", "v2")]
# It is served without TLS here, the e-Box may have no letter of shortly after midnight, and that
# of the citizen has few letters at all.
OUT_OF_REACH = {
    *("tls-used", "tls-old-versions", "tls-remembered", "filter-zone"),
    *("paging-complete", "paging-while-arriving"),
}


@pytest.mark.parametrize(("family", "version"), KINDS)
def test_our_registry_meets_everything_that_it_can_be_tested_for(examine, front, family, version):
    report = examine(front, family, version, "acceptance")

    assert failures(report) == {}
    assert set(untested(report)) <= OUT_OF_REACH
    assert report.exit_code == 0
    assert len(report.rulings) > 140


@pytest.mark.parametrize(("family", "version"), KINDS)
def test_reading_alone_is_enough_for_what_is_in_production(examine, front, family, version):
    report = examine(front, family, version, "production")

    assert failures(report) == {}
    assert set(untested(report)) <= OUT_OF_REACH
    assert report.remains == ""
