"""The contenders: one module each, run in a process of its own by `benchmarks.runner`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """One competitor: its module in this package, and what of a record its caller gets to hold."""

    name: str
    label: str
    yields: str
    packages: tuple[str, ...]
    module: str = ""
    uvloop: bool = False

    @property
    def target(self) -> str:
        """The module to run."""
        return f"benchmarks.contenders.{self.module or self.name}"


_OURS = ("confirma-async", "aiohttp", "attrs", "cattrs", "msgspec", "tenacity")
_ALL = (
    Contender("limit", "aiohttp + orjson, layout known: the limit", "dicts", ("aiohttp", "orjson")),
    Contender("confirma", "confirma_async", "typed records", _OURS),
    Contender("confirma_uvloop", "confirma_async on uvloop", "typed records", ("uvloop",), "confirma", uvloop=True),
    Contender("bare_pages", "aiohttp + orjson, pages in parallel", "dicts", ("aiohttp", "orjson")),
    Contender("bare_sequential", "aiohttp + stdlib json, sequential", "dicts", ("aiohttp",)),
    Contender("httpx_parallel", "httpx + pydantic, in parallel", "typed records", ("httpx", "pydantic")),
    Contender("httpx_sequential", "httpx + pydantic, sequential", "typed records", ("httpx", "pydantic")),
    Contender("dlt_records", "dlt rest_api, resource iterated", "dicts", ("dlt", "requests")),
    Contender("dlt_pipeline", "dlt rest_api, pipeline.run", "files", ("dlt", "requests")),
    Contender("airbyte_messages", "Airbyte CDK, source.read", "messages", ("airbyte-cdk", "requests")),
    Contender("airbyte_connector", "Airbyte CDK, connector", "JSON lines", ("airbyte-cdk", "requests")),
    Contender("singer_tap", "singer-sdk, tap (sequential)", "JSON lines", ("singer-sdk", "requests")),
)
CONTENDERS = {contender.name: contender for contender in _ALL}
