"""How a value is shown: as attrs would show it, by one function for all.

attrs writes a `__repr__` for each class and compiles it at import, which took a tenth of what importing the
package costs.
"""

from __future__ import annotations

import attrs


def shown(self: attrs.AttrsInstance) -> str:
    """Return the class and its fields, `Name(field=value, ...)`; a field's own `repr` decides how it is shown."""
    fields = (
        f"{field.name}={(repr if field.repr is True else field.repr)(getattr(self, field.name))}"
        for field in attrs.fields(type(self))
        if field.repr is not False
    )
    name = type(self).__qualname__.rsplit(">.", 1)[-1]  # of a class made inside a function, without the function
    return f"{name}({', '.join(fields)})"
