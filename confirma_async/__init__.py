"""Async Python SDK for the Confirma Finance Integrations API.

::

    from datetime import date
    from confirma_async import ConfirmaClient

    async with ConfirmaClient() as client:  # CONFIRMA_API_KEY, CONFIRMA_ENVIRONMENT
        invoices = client.distributions.list(date(2025, 1, 1), date(2025, 12, 31))
        async for invoice in invoices:
            print(invoice.invoice_number, invoice.distribution_status, invoice.payment_control.case_id)
        print(invoices.report)
"""

import logging as _logging

from ._auth import KeySource, RenewingKey
from ._version import __version__
from ._wire import from_dict, to_dict
from .client import ConfirmaClient
from .config import Environment, Paging, RetryPolicy, ServiceProfile, Timeouts
from .errors import (
    ApiStatusError,
    AuthenticationError,
    BadRequestError,
    CheckpointError,
    ClientClosedError,
    ConfigurationError,
    ConfirmaError,
    ConnectError,
    DataIntegrityError,
    DeadlineExceededError,
    FilterNotAppliedError,
    IncompleteResultError,
    KeyRenewalError,
    KeyStateUnknownError,
    NotFoundError,
    PagingError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitError,
    RedirectError,
    RequestTimeoutError,
    ResponseDecodeError,
    ResponseTooLargeError,
    ServerError,
    TargetError,
    TransportError,
    TruncatedResponseError,
)
from .events import (
    AttemptEnded,
    ClientPaused,
    Event,
    Hook,
    KeyRenewed,
    Progress,
    RetryScheduled,
    WindowEnded,
)
from .paginator import Paginator
from .records import (
    AppliedFilters,
    DistributionDates,
    DistributionError,
    DistributionFile,
    DistributionMetadata,
    DistributionPage,
    InvoiceDistribution,
    PaymentControl,
)
from .reports import Doubt, FetchReport, Verdict, WindowOutcome
from .session import SessionManager
from .windows import DateWindow, split_date_range

__all__ = [
    "ApiStatusError",
    "AppliedFilters",
    "AttemptEnded",
    "AuthenticationError",
    "BadRequestError",
    "CheckpointError",
    "ClientClosedError",
    "ClientPaused",
    "ConfigurationError",
    "ConfirmaClient",
    "ConfirmaError",
    "ConnectError",
    "DataIntegrityError",
    "DateWindow",
    "DeadlineExceededError",
    "DistributionDates",
    "DistributionError",
    "DistributionFile",
    "DistributionMetadata",
    "DistributionPage",
    "Doubt",
    "Environment",
    "Event",
    "FetchReport",
    "FilterNotAppliedError",
    "Hook",
    "IncompleteResultError",
    "InvoiceDistribution",
    "KeyRenewalError",
    "KeyRenewed",
    "KeySource",
    "KeyStateUnknownError",
    "NotFoundError",
    "Paginator",
    "Paging",
    "PagingError",
    "PaymentControl",
    "PermissionDeniedError",
    "Progress",
    "ProtocolError",
    "RateLimitError",
    "RedirectError",
    "RenewingKey",
    "RequestTimeoutError",
    "ResponseDecodeError",
    "ResponseTooLargeError",
    "RetryPolicy",
    "RetryScheduled",
    "ServerError",
    "ServiceProfile",
    "SessionManager",
    "TargetError",
    "Timeouts",
    "TransportError",
    "TruncatedResponseError",
    "Verdict",
    "WindowEnded",
    "WindowOutcome",
    "__version__",
    "from_dict",
    "split_date_range",
    "to_dict",
]

_logging.getLogger(__name__).addHandler(_logging.NullHandler())
