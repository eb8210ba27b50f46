"""A Confirma service of your own on 127.0.0.1, for tests, first tries and benchmarks.

    async with SandboxServer(invoices_per_day=50, faults=[Fault.status(503)]) as sandbox:
        async with sandbox.client() as client:
            invoices = await client.distributions.list(date(2025, 1, 1), date(2025, 1, 31)).collect()
    assert len(invoices) == 31 * 50
    assert sandbox.requests[0].status == 503

It answers as the vendor's page for the distribution endpoint says. Its invoices are synthetic, and so is
everything that page leaves open: the values of the open sets, the bodies of errors and the rules of paging are
ours, each with a switch where it could be otherwise.
"""

from ._faults import Fault
from ._journal import SandboxRequest
from ._server import SandboxServer

__all__ = ["Fault", "SandboxRequest", "SandboxServer"]
