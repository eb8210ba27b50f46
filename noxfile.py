"""What is checked, and how: `nox` alone runs all that a change must pass."""

import pathlib

import nox

PYPROJECT = nox.project.load_toml("pyproject.toml")
CLEAN_IMPORT = """
import sys, confirma_async
extras = {"typer", "rich", "pyarrow", "sqlalchemy", "plotly", "openpyxl", "uvloop"}
assert not extras & sys.modules.keys(), "importing the package loads an extra"
assert "site-packages" in confirma_async.__file__, confirma_async.__file__
print("imported", confirma_async.__version__, "from the wheel, with nothing but its dependencies")
"""

nox.options.sessions = ["check", "wheel"]
nox.options.error_on_missing_interpreters = True


def _install(session: nox.Session, *groups: str) -> None:
    session.install("-q", "-e", ".[all]", *nox.project.dependency_groups(PYPROJECT, *groups))


@nox.session
def check(session: nox.Session) -> None:
    """Style, types, every test with warnings as errors, and branch coverage."""
    _install(session, "test", "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("pyright")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine", "-q")
    session.run("coverage", "report")


@nox.session
def tests(session: nox.Session) -> None:
    """The tests alone; `nox -s tests -- tests/test_pages.py -k halved` for some of them."""
    _install(session, "test")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel and import it where nothing else is installed."""
    session.install("-q", "build")
    built = pathlib.Path(session.create_tmp()).resolve()
    session.run("python", "-m", "build", "--wheel", "--outdir", str(built), ".", silent=True)
    (newest,) = sorted(built.glob("*.whl"))[-1:]
    clean = built / "clean"
    session.run("python", "-m", "venv", "--clear", str(clean))
    scripts = clean / ("Scripts" if (clean / "Scripts").is_dir() else "bin")
    session.run(str(scripts / "python"), "-m", "pip", "install", "-q", str(newest), external=True)
    session.run(str(scripts / "python"), "-I", "-c", CLEAN_IMPORT, external=True)


@nox.session(venv_backend="uv|virtualenv", reuse_venv=True)  # uv installs this group in seconds, pip in minutes
def bench(session: nox.Session) -> None:
    """All contenders on the same jobs in one run; `-- --quick` checks the claims in three minutes."""
    session.install("-q", "-e", ".[cli]", *nox.project.dependency_groups(PYPROJECT, "bench"))
    session.run("python", "-m", "benchmarks", *session.posargs)
    if not session.posargs:
        session.run("python", "-m", "pytest", "benchmarks/test_decoding.py")
