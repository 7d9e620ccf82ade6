#!/usr/bin/env python3
"""Turns a trimmed LiteLLM price list into Penstock's own price data.

    take-over.py SOURCE.json [-o model_prices.json]

SOURCE is `{"_meta": …, "models": {name: fields}}` with prices in USD per token. The result is the file beside this
script, which the control plane embeds; its shape is described in README.md.

Rules: numbers are read as decimals and written as integers (pico-USD a token, nano-USD a search, millionths for
factors); a number that does not come out whole stops the run. A field that this script has never heard of stops it
too, so that a new kind of price cannot vanish unseen. What has no place in our data is counted and named, in the
output and in `_meta.left_out`. The same source always gives the same bytes.
"""

import argparse
import collections
import datetime
import decimal
import json
import pathlib
import re
import sys

CLASSES = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "cache_creation_input_token_cost_above_12hr": "cache_write_12h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "input_cost_per_image_token": "image_input",
    "output_cost_per_audio_token": "audio_output",
    "output_cost_per_image_token": "image_output",
}
TIERS = {"": "standard", "_batches": "batch", "_flex": "flex", "_priority": "priority", "_ultrafast": "ultrafast"}
RATE = re.compile(
    "(?P<class>" + "|".join(sorted(CLASSES, key=len, reverse=True)) + ")"
    r"(?:_above_(?P<thousands>\d+)k_tokens)?"
    "(?P<tier>" + "|".join(TIERS) + ")"
)
REGIONAL = {
    "regional_processing_uplift_multiplier_us": "regional_us",
    "regional_processing_uplift_multiplier_eu": "regional_eu",
    "regional_endpoint_uplift_multiplier": "regional_endpoint",
}
PLATFORMS = {"anthropic", "openai", "gemini", "bedrock", "bedrock_mantle", "azure", "azure_ai", "vertex_ai"}
LIMITS = ("max_input_tokens", "max_output_tokens")
# Prices and facts without a place in Penstock's data, and the name under which they are counted.
LEFT_OUT = [
    (re.compile(r"cache_read_input_audio_token_cost.*"), "prices of cached audio tokens"),
    (re.compile(r".*_decisions"), "prices of the decisions tier"),
    (re.compile(r"prompt_cache_min_tokens"), "smallest prompt that is cached"),
    (re.compile(r"supports_.*"), "capabilities"),
    (re.compile(r"mode"), "modes (chat, responses)"),
]


class Misfit(Exception):
    """The source says something that cannot be taken over."""


def whole(value, scale):
    """`value` times ten to the `scale`, as an int that is exactly that."""
    scaled = decimal.Decimal(value).scaleb(scale)
    if scaled < 0 or scaled != scaled.to_integral_value():
        raise Misfit(f"{value} is not a whole number of 1e-{scale}")
    return int(scaled)


def rate(match, value):
    thousands = int(match["thousands"] or 0)
    entry = {"class": CLASSES[match["class"]]}
    if match["tier"]:
        entry["tier"] = TIERS[match["tier"]]
    if thousands:
        entry["above_tokens"] = thousands * 1000
    entry["pico_usd"] = whole(value, 12)
    return entry


def rate_order(entry):
    return (
        list(TIERS.values()).index(entry.get("tier", "standard")),
        entry.get("above_tokens", 0),
        list(CLASSES.values()).index(entry["class"]),
    )


def platform(litellm_provider):
    name = litellm_provider.split("-")[0]
    name = "bedrock" if name == "bedrock_converse" else name
    if name not in PLATFORMS:
        raise Misfit(f"unknown litellm_provider {litellm_provider}")
    return name


def web_search(sizes, left_out):
    """The price at medium size, in nano-USD."""
    by_size = {key.removeprefix("search_context_size_"): value for key, value in sizes.items()}
    if set(by_size) != {"low", "medium", "high"}:
        raise Misfit(f"search sizes {sorted(sizes)}")
    left_out["web search prices other than medium's"] += sum(v != by_size["medium"] for v in by_size.values())
    return whole(by_size["medium"], 9)


def model(fields, left_out):
    rates, factors, rest = [], [], {}
    out = {"platform": platform(fields["litellm_provider"]), "rates": rates}
    for field, value in fields.items():
        match = RATE.fullmatch(field)
        if match:
            rates.append(rate(match, value))
        elif field in REGIONAL:
            factors.append({"name": REGIONAL[field], "millionths": whole(value, 6)})
        elif field == "provider_specific_entry":
            factors.extend({"name": name, "millionths": whole(v, 6)} for name, v in value.items())
        elif field == "search_context_cost_per_query":
            rest["web_search"] = web_search(value, left_out)
        elif field in LIMITS:
            rest[field] = whole(value, 0)
        elif field == "deprecation_date":
            rest[field] = datetime.date.fromisoformat(value).isoformat()
        elif field != "litellm_provider":
            left_out[reason_to_leave(field)] += 1
    rates.sort(key=rate_order)
    if factors:
        rest["factors"] = sorted(factors, key=lambda factor: factor["name"])
    order = ("web_search", "factors", *LIMITS, "deprecation_date")
    return out | {key: rest[key] for key in order if key in rest}


def reason_to_leave(field):
    for pattern, reason in LEFT_OUT:
        if pattern.fullmatch(field):
            return reason
    raise Misfit(f"unknown field {field}: map it, or name it in LEFT_OUT")


def take_over(source):
    left_out, models = collections.Counter(), {}
    for name in sorted(source["models"]):
        try:
            models[name] = model(source["models"][name], left_out)
        except (Misfit, ValueError, decimal.InvalidOperation) as error:
            raise Misfit(f"{name}: {error}") from error
    left_out = {reason: left_out[reason] for reason in sorted(left_out) if left_out[reason]}
    meta = {key: source["_meta"][key] for key in ("source", "source_sha256", "license", "taken")}
    return meta | {"unit": "pico-USD a token", "entries": len(models), "left_out": left_out}, models


def render(meta, models):
    def compact(value):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=True)

    lines = ",\n".join(f"{compact(name)}:{compact(models[name])}" for name in models)
    return f'{{\n"_meta":{compact(meta)},\n"models":{{\n{lines}\n}}}}\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    beside = pathlib.Path(__file__).with_name("model_prices.json")
    parser.add_argument("-o", "--out", type=pathlib.Path, default=beside)
    args = parser.parse_args()
    try:
        source = json.loads(args.source.read_text(encoding="utf-8"), parse_float=decimal.Decimal)
        meta, models = take_over(source)
    except (OSError, KeyError, ValueError, Misfit) as error:
        sys.exit(f"{args.source}: {error}")
    args.out.write_text(render(meta, models), encoding="ascii")
    rates = sum(len(entry["rates"]) for entry in models.values())
    factors = sum(len(entry.get("factors", ())) for entry in models.values())
    print(f"{args.out}: {len(models)} models, {rates} rates, {factors} factors")
    for reason, count in meta["left_out"].items():
        print(f"left out: {count} {reason}")


if __name__ == "__main__":
    main()
