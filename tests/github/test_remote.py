"""Which remotes take a token, and where it comes from."""

from __future__ import annotations

import pickle
from functools import partial

import pytest

import datom_core as dc
from tests.github.conftest import told_by


class TestRemote:
    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("http://example.org/x.git", "in the clear"),
            ("http://127.0.0.1.example.org/x.git", "in the clear"),
            ("http://localhost.example.org/x.git", "in the clear"),
            ("ssh://git@example.org/x.git", "only https"),
            ("git@example.org:x.git", "only https"),
            ("git://example.org/x.git", "only https"),
            ("file:///x.git", "only https"),
            ("/srv/x.git", "only https"),
            ("https://*/x.git", "no host"),
            ("https://*.org/x.git", "no host"),
            ("https:///x.git", "no host"),
        ],
    )
    def test_where_a_token_does_not_go(self, url: str, why: str) -> None:
        with pytest.raises(dc.InvalidInputError, match=why) as caught:
            dc.Remote(url, token="planted-token")
        assert "planted-token" not in told_by(caught.value).replace('dc.Remote(url, token="planted-token")', "")
        if why != "no host":
            assert dc.Remote(url).token is None

    @pytest.mark.parametrize(
        "url", ["https://example.org/x.git", "https://example.org:8443/x", "http://localhost:1/x", "http://[::1]:1/x"]
    )
    def test_where_it_does(self, url: str) -> None:
        assert dc.Remote(url, token="planted-token").token == dc.Secret("planted-token")

    @pytest.mark.parametrize(
        "token",
        ["planted-token", dc.Secret("planted-token"), partial(str, "planted-token"), lambda: "planted-token"],
    )
    def test_its_repr_shows_no_token(self, token: dc.TokenSource) -> None:
        assert repr(dc.Remote("https://example.org/x.git", token)) == "Remote('https://example.org/x.git', token=****)"

    def test_its_repr_shows_where_the_token_comes_from(self) -> None:
        shown = repr(dc.Remote("https://example.org/x.git", dc.EnvironmentToken()))
        assert shown == "Remote('https://example.org/x.git', token=EnvironmentToken(name='GITHUB_TOKEN'))"

    def test_it_is_pickled_with_the_source_and_never_with_the_token(self) -> None:
        for source in (dc.EnvironmentToken(), dc.KeyringToken("github")):
            remote = dc.Remote("https://example.org/x.git", source)
            assert pickle.loads(pickle.dumps(remote)) == remote
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(dc.Remote("https://example.org/x.git", "planted-token"))

    @pytest.mark.parametrize("token", ["", " x", "a\nb", 3, b"planted-token", dc.EnvironmentToken])
    def test_what_is_no_token(self, token: object) -> None:
        with pytest.raises(dc.InvalidInputError) as caught:
            dc.Remote("https://example.org/x.git", token)  # type: ignore[arg-type]
        assert "planted-token" not in str(caught.value)

    def test_a_function_that_gives_none(self, url: str, store: dc.LocalStore) -> None:
        with pytest.raises(dc.InvalidInputError, match="must return a Secret or text; it returned NoneType"):
            dc.Project.open(store, remote=dc.Remote(url, token=lambda: None))  # type: ignore[arg-type, return-value]

    def test_credentials_in_its_url_are_refused(self) -> None:
        with pytest.raises(dc.InvalidInputError, match=r"Remote\(url, token") as caught:
            dc.Remote("https://x:planted-token@example.org/x.git")
        assert "planted-token" not in str(caught.value)


class TestSources:
    def test_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("STUDY_TOKEN", raising=False)
        source = dc.EnvironmentToken("STUDY_TOKEN")
        with pytest.raises(dc.InvalidInputError, match="STUDY_TOKEN with the token is not set"):
            source()
        monkeypatch.setenv("STUDY_TOKEN", "planted-token\n")
        assert source() == dc.Secret("planted-token")

    def test_the_keyring(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import keyring
        import keyring.errors

        held = {("github", "token"): "planted-token"}
        monkeypatch.setattr(keyring, "get_password", lambda service, name: held.get((service, name)))
        assert dc.KeyringToken("github")() == dc.Secret("planted-token")
        with pytest.raises(dc.NotFoundError, match="has no other; make it with `keyring set github other`"):
            dc.KeyringToken("github", "other")()

        def locked(service: str, name: str) -> str:
            raise keyring.errors.KeyringLocked("locked")

        monkeypatch.setattr(keyring, "get_password", locked)
        with pytest.raises(dc.AccessDeniedError, match=r"could not be read \(KeyringLocked\)"):
            dc.KeyringToken("github")()
