"""The key goes to one origin, in the clear to nobody else, past every proxy that was not asked for."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from confirma_async import (
    ConfigurationError,
    ConfirmaClient,
    ConnectError,
    RedirectError,
    RenewingKey,
    RetryPolicy,
    Timeouts,
    TransportError,
)

from .peers import CERTIFICATE, KEY, NOTHING, Peer, ask, body, failure, reply, row, tls_server

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "place",
    ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "https://127.0.0.1:{port}/", "//127.0.0.1:{port}/x", "/x"],
)
async def test_a_redirect_is_an_error_and_never_followed(status: int, place: str) -> None:
    async with Peer(NOTHING) as elsewhere:
        answer = reply(status=status, headers={"Location": place.format(port=elsewhere.port)})
        async with Peer(answer) as peer, peer.client() as client:
            error = await failure(client)
            assert isinstance(error, RedirectError)
            assert (error.status, len(peer.calls), elsewhere.connections) == (status, 1, 0)


async def test_links_in_answers_are_never_fetched() -> None:
    async with Peer(NOTHING) as elsewhere:
        found = reply(body(row(file={"url": elsewhere.url}, next=elsewhere.url)), headers={"Link": elsewhere.url})
        async with Peer(found) as peer, peer.client() as client:
            assert (await ask(client))[0].file.url == elsewhere.url
        assert elsewhere.connections == 0


async def test_proxies_and_passwords_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with Peer(NOTHING) as proxy:
        for name in PROXIES:
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        async with Peer(NOTHING) as peer, peer.client() as client:
            await ask(client)
        assert proxy.connections == 0
    assert peer.calls[0].header("authorization") is None


async def test_a_proxy_that_was_asked_for_is_used() -> None:
    async with Peer(NOTHING) as proxy, Peer(NOTHING) as peer:
        async with peer.client(proxy=proxy.url) as client:
            await ask(client)
        assert (len(proxy.calls), len(peer.calls)) == (1, 0)
        assert proxy.calls[0].path.startswith(peer.url)


async def test_the_key_goes_in_its_header_and_nowhere_else() -> None:
    async with Peer(NOTHING) as peer, peer.client() as client:
        await ask(client)
    assert peer.calls[0].key == KEY
    assert peer.calls[0].text.count(KEY) == 1


async def test_cookies_of_the_server_are_not_sent_back() -> None:
    answer = reply(body(), headers={"Set-Cookie": "session=1; Path=/"})
    async with Peer(answer) as peer, peer.client(base_url=f"http://localhost:{peer.port}") as client:
        await ask(client)
        await ask(client)
    assert peer.calls[1].header("cookie") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://integrations.confirmafinance.com",
        "http://example.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://[::]",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        "http://localhost:pw@example.com",
        "http://example.com\\@127.0.0.1",
        "http://127。0。0。1",
        "HTTP://EXAMPLE.COM",
    ],
)
def test_plain_http_is_for_loopback_only(url: str) -> None:
    with pytest.raises(ConfigurationError):
        ConfirmaClient(KEY, base_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://127.9.9.9", "http://localhost:1", "http://[::1]:80"])
def test_plain_http_to_loopback_is_allowed(url: str) -> None:
    assert url in repr(ConfirmaClient(KEY, base_url=url))


async def test_a_certificate_that_the_caller_trusts_is_accepted() -> None:
    trusting = ssl.create_default_context(cadata=CERTIFICATE)
    async with Peer(NOTHING, tls=tls_server()) as peer, peer.client(ssl_context=trusting) as client:
        assert await ask(client) == []


async def test_a_certificate_for_another_host_is_refused() -> None:
    trusting = ssl.create_default_context(cadata=CERTIFICATE)
    async with Peer(NOTHING, tls=tls_server()) as peer:
        other = f"https://localhost:{peer.port}"
        async with peer.client(base_url=other, ssl_context=trusting) as client:
            error = await failure(client)
        assert isinstance(error, ConnectError)
        assert (error.retryable, peer.calls) == (False, [])


@pytest.mark.parametrize("weakened", ["verify_mode", "check_hostname"])
def test_a_context_that_verifies_nothing_is_refused(weakened: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    if weakened == "verify_mode":
        context.verify_mode = ssl.CERT_NONE
    with pytest.raises(ConfigurationError):
        ConfirmaClient(KEY, ssl_context=context)


async def test_a_service_that_does_not_speak_tls_gets_no_key() -> None:
    async with Peer(NOTHING) as peer:
        plain = f"https://127.0.0.1:{peer.port}"
        once, limits = RetryPolicy(max_attempts=1), Timeouts(connect=0.3)
        async with peer.client(base_url=plain, retry=once, timeouts=limits) as client:
            assert isinstance(await failure(client), TransportError)
        assert (peer.connections, peer.calls) == (1, [])


async def test_a_proxy_that_is_asked_for_a_tunnel_does_not_get_the_key() -> None:
    async with Peer(reply(status=403)) as proxy, proxy.client(base_url="https://service.example") as client:
        error = await failure(client.with_options(proxy=proxy.url, retry=RetryPolicy(max_attempts=1)))
    assert isinstance(error, ConnectError)
    assert proxy.calls[0].text.startswith("CONNECT service.example:443")
    assert KEY not in proxy.calls[0].text


async def test_a_renewing_key_is_not_taken_to_another_address() -> None:
    async with Peer(reply(status=401)) as peer, Peer(reply(status=401)) as other:
        async with peer.client(api_key=RenewingKey(KEY, save=print)) as client:
            with pytest.raises(ConfigurationError):
                await ask(client.with_options(base_url=other.url))
        assert (peer.calls, other.calls) == ([], [])
