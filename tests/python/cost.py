"""What calls cost, by the rules of the price list, in exact fractions: python cost.py PRICES.json CALLS.jsonl

One line for each call: its cost in nano-USD. Written from the rules in /docs and not from the Rust code, to be held
against it.
"""

import json
import sys
from fractions import Fraction

# A class without a price of its own is charged as the next one.
CHARGED_AS = {
    "cache_read": ["cache_read", "input"],
    "cache_write": ["cache_write", "input"],
    "cache_write_1h": ["cache_write_1h", "cache_write", "input"],
    "cache_write_12h": ["cache_write_12h", "cache_write", "input"],
    "input": ["input"],
    "output": ["output"],
    "audio_input": ["audio_input", "input"],
    "image_input": ["image_input", "input"],
    "audio_output": ["audio_output", "output"],
    "image_output": ["image_output", "output"],
}


def classes(usage):
    """Tokens by class; sound and pictures are parts of input and output, reasoning is one of the output."""
    for name in ("cache_read", "cache_write", "cache_write_1h", "cache_write_12h"):
        yield name, usage[name]
    for whole, parts in (("input", ("audio_input", "image_input")), ("output", ("audio_output", "image_output", "reasoning"))):
        left = usage[whole]
        for part in parts:
            tokens = min(usage.get(part, 0), left)
            yield part, tokens
            left -= tokens
        yield whole, left


def wishes(name, tier):
    """Which prices a class takes, the first that exists."""
    if name == "reasoning":
        for at in (tier, "standard"):
            yield "reasoning", at
            yield "output", at
        return
    for other in CHARGED_AS[name]:
        yield other, tier
        yield other, "standard"


def rate(price, name, tier, prompt):
    table = {(r["class"], r.get("tier", "standard"), r.get("above_tokens", 0)): r["pico_usd"] for r in price["rates"]}
    crossed = {above for (_, at, above) in table if at in (tier, "standard") and (above == 0 or prompt > above)}
    for above in sorted(crossed, reverse=True):
        for wish in wishes(name, tier):
            if (*wish, above) in table:
                return table[(*wish, above)]
    return 0


def cost(price, usage, multiplier):
    prompt = sum(usage[name] for name in ("input", "cache_read", "cache_write", "cache_write_1h", "cache_write_12h"))
    total = Fraction(0)
    for name, tokens in classes(usage):
        if tokens:
            total += Fraction(tokens * rate(price, name, usage["tier"], prompt), 1000)
    for factor in price.get("factors", []):
        if factor["name"] in usage["factors"]:
            total *= Fraction(factor["millionths"], 1_000_000)
    total += usage["web_searches"] * price.get("web_search", 0)
    total *= Fraction(multiplier, 1_000_000)
    # Half up.
    return (total + Fraction(1, 2)).__floor__()


def main():
    prices_path, calls_path = sys.argv[1:]
    with open(prices_path, encoding="utf-8") as file:
        prices = json.load(file)["models"]
    with open(calls_path, encoding="utf-8") as file:
        for line in file:
            call = json.loads(line)
            print(cost(prices[call["model"]], call["usage"], call["multiplier"]))


main()
