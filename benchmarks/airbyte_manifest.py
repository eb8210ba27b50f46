"""A declarative manifest of Airbyte's low-code CDK for the endpoint, and its concurrent source.

Partitions (one per window) are read concurrently by `concurrency_level` threads; pages of one partition
are read one after the other. A list of windows partitions the stream: the cursor over dates that the
documentation offers for ranges wants a date at the top of every record, and invoices have none.
"""

from importlib import metadata

from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

from benchmarks.jobs import API_KEY, PATH, Job

STREAM = "invoices"
SCHEMA = {"type": "object", "additionalProperties": True, "properties": {}}
CATALOG = {
    "streams": [
        {
            "stream": {
                "name": STREAM,
                "json_schema": SCHEMA,
                "supported_sync_modes": ["full_refresh"],
            },
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
        }
    ]
}


def _requester(url: str) -> dict:
    return {
        "type": "HttpRequester",
        "url_base": url,
        "path": PATH,
        "http_method": "GET",
        "authenticator": {
            "type": "ApiKeyAuthenticator",
            "api_token": "{{ config['api_key'] }}",
            "inject_into": {"type": "RequestOption", "inject_into": "header", "field_name": "X-Api-Key"},
        },
        "request_parameters": {
            "fromInvDate": "{{ stream_partition.window[:10] }}",
            "toInvDate": "{{ stream_partition.window[11:] }}",
        },
    }


def _paginator(job: Job) -> dict:
    return {
        "type": "DefaultPaginator",
        "page_token_option": {
            "type": "RequestOption",
            "inject_into": "request_parameter",
            "field_name": "page",
        },
        "pagination_strategy": {
            "type": "PageIncrement",
            "page_size": job.page_size,
            "start_from_page": 1,
            "inject_on_first_request": True,
        },
    }


def manifest(url: str, job: Job) -> dict:
    """The manifest as the YAML file of a connector would hold it."""
    retriever = {
        "type": "SimpleRetriever",
        "requester": _requester(url),
        "record_selector": {
            "type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": ["invoices"]},
        },
        "paginator": _paginator(job),
        "partition_router": {
            "type": "ListPartitionRouter",
            "values": [f"{start}/{end}" for start, end in job.all_bounds()],
            "cursor_field": "window",
        },
    }
    stream = {
        "type": "DeclarativeStream",
        "name": STREAM,
        "primary_key": ["invoiceNumber"],
        "schema_loader": {"type": "InlineSchemaLoader", "schema": SCHEMA},
        "retriever": retriever,
    }
    return {
        "type": "DeclarativeSource",
        "version": metadata.version("airbyte-cdk"),
        "check": {"type": "CheckStream", "stream_names": [STREAM]},
        "streams": [stream],
        "concurrency_level": {
            "type": "ConcurrencyLevel",
            "default_concurrency": job.concurrency,
            "max_concurrency": job.concurrency,
        },
        "spec": {
            "type": "Spec",
            "connection_specification": {
                "type": "object",
                "properties": {"api_key": {"type": "string", "airbyte_secret": True}},
            },
        },
    }


def source(url: str, job: Job) -> ConcurrentDeclarativeSource:
    """The concurrent source of the manifest."""
    catalog = ConfiguredAirbyteCatalogSerializer.load(CATALOG)
    return ConcurrentDeclarativeSource(
        catalog=catalog, config={"api_key": API_KEY}, state=[], source_config=manifest(url, job)
    )
