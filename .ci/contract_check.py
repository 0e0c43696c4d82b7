"""Hold single endpoints against the contract, for files of which only a part is built.

usage: contract_check.py CHECK.PY OPENAPI.json ENDPOINT_ID ...
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load(path: str) -> ModuleType:
    """The contract's own checker, whose rules are used as they are."""
    spec = importlib.util.spec_from_file_location("contract_check_rules", Path(path).resolve())
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main(check_path: str, openapi_path: str, *wanted: str) -> int:
    """Print a line an endpoint; 0 when all hold."""
    rules = load(check_path)
    api = rules.OpenApi(rules.load_openapi(openapi_path))
    contract = rules.Contract()
    found = {
        endpoint["id"]: (file, endpoint)
        for file, content in contract.files.items()
        if file.startswith("dashboard/")
        for endpoint in content.get("endpoints") or []
    }
    failed = 0
    for name in wanted:
        if name not in found:
            sys.stdout.write(f"{name}: no such endpoint in the contract\n")
            failed += 1
            continue
        file, endpoint = found[name]
        gaps = rules.gaps_of(api, contract, file, endpoint)
        failed += bool(gaps)
        sys.stdout.write(f"{name}: {', '.join(gaps) if gaps else 'holds'}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
