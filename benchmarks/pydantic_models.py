"""The reply as pydantic v2 models, for the httpx contenders and the decoding benchmark."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class _Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class Filters(_Wire):
    """The echo of the filters."""

    invoice_number: str | None
    from_inv_date: str | None
    to_inv_date: str | None
    fetch_type: str | None
    default_last30_days_applied: bool | None


class MetaData(_Wire):
    """The counters of a reply."""

    total_count: int
    successful_count: int
    failed_count: int
    filters_applied: Filters


class Dates(_Wire):
    """The timestamps of an invoice."""

    created_at: datetime | None
    printed_at: datetime | None
    distributed_at: datetime | None
    payment_control_activated_at: datetime | None


class File(_Wire):
    """The link to the invoice's file."""

    url: str | None


class PaymentControl(_Wire):
    """The hand-over to payment control."""

    enabled: bool
    agency: str | None
    status: str | None
    case_id: int | str | None


class DeliveryError(_Wire):
    """Why an invoice did not arrive."""

    error_code: str | None
    error_description: str | None
    error_type: str | None


class Invoice(_Wire):
    """One invoice of a reply."""

    invoice_number: int | str
    distribution_status: str | None
    distribution_method: str | None
    distribution_message: str | None
    dates: Dates | None
    file: File | None
    payment_control: PaymentControl | None
    errors: tuple[DeliveryError, ...]


class Reply(_Wire):
    """The whole answer."""

    meta_data: MetaData
    invoices: tuple[Invoice, ...]
