"""Run by interpreters.py in the Python that Lambda will have: modules of a folder become bytecode."""

import py_compile
import sys
from pathlib import Path


def main() -> None:
    folder, runs_at = Path(sys.argv[1]), sys.argv[2]
    for source in sorted(folder.rglob("*.py")):
        name = source.relative_to(folder).as_posix()
        try:
            py_compile.compile(
                str(source),
                cfile=f"{source}c",
                dfile=f"{runs_at}/{name}",
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except py_compile.PyCompileError:  # templates, and syntax of other versions
            continue
        source.unlink()


main()
