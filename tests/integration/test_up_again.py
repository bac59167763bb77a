"""`up` given again brings settings of the endpoint, and says that it is done when they are in effect."""
from endpoint import Served
from proxy import Certificate


def test_settings_are_in_effect_when_up_returns():
    with Served() as served:
        for size in (7, 8, 9):
            served.tandem.up("--pool-size", size)
            assert [row["value"] for row in served.console("SHOW CONFIG") if row["key"] == "pool_size"] == [str(size)]


def test_settings_that_cannot_be_taken_are_an_error_of_up(tmp_path):
    with Served() as served:
        certificate = Certificate(served.tandem.parent, "good")
        certificate.key.write_text("no key")
        config = served.tandem.parent / "pgtandem.toml"
        config.write_text(f'[endpoint]\ntls_certificate = "{certificate.file}"\ntls_key = "{certificate.key}"\n')
        error = served.tandem.refused("up", "--detach", *served.tandem.up_words("--config", config))
        assert "good" in error
        assert served.endpoint.value("SELECT 1") == 1
