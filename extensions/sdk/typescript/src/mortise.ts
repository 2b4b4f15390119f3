// What a Mortise extension in TypeScript shares: the binding's config, SKU attributes, integer money, and a log. The types of a
// point stand in the module that is named as its WIT interface, such as "mortise:unit-price/pricing@1.0.0". Amounts and
// quantities are whole numbers: exact up to 2^53, which is beyond every bound of a point. Products are worked out without a bound.
import stdout from "wasi:cli/stdout@0.2.0";

/** An amount in minor units for so many units: "3 for 5.00" is `{ amount: 500, per: 3 }`. */
export type Price = { amount: number; per: number };

/**
 * A point's function, from one that takes the binding's config as an object. What it throws becomes its answer "none, for
 * this reason"; the binding says whether the trade is then refused or goes on without it.
 */
export function configured<Config, Question, Answer>(
  answer: (config: Config, question: Question) => Answer,
): (config: string, question: Question) => Answer {
  return (config, question) => {
    called = true;
    try {
      return answer(JSON.parse(config === "" ? "{}" : config) as Config, question);
    } catch (error) {
      throw declined(error instanceof Error ? error.message : String(error));
    } finally {
      called = false;
    }
  };
}

/** The value of a SKU attribute that the manifest asks for. */
export function attribute(
  line: { attributes: { name: string; value: string }[] },
  name: string,
): string | undefined {
  return line.attributes.find((attribute) => attribute.name === name)?.value;
}

/** A price less a rate in basis points (500 is 5%), to the nearest minor unit, halves up. */
export function less(price: Price, rateBp: number): Price {
  return { amount: rateOf(price.amount, 10_000 - rateBp), per: price.per };
}

/** Cheaper for each unit than the other, exactly: 500 for 3 is below 167 for 1. */
export function isBelow(price: Price, other: Price): boolean {
  return BigInt(price.amount) * BigInt(other.per) < BigInt(other.amount) * BigInt(price.per);
}

/** A rate in basis points of an amount, rounded half up (away from zero for negative amounts). */
export function rateOf(amount: number, rateBp: number): number {
  const product = BigInt(amount) * BigInt(rateBp);
  const rounded = ((product < 0n ? -product : product) + 5_000n) / 10_000n;
  return Number(product < 0n ? -rounded : rounded);
}

/** What so many units cost at a price, rounded down to the minor unit. */
export function costOf(price: Price, units: number): number {
  return Number((BigInt(price.amount) * BigInt(units)) / BigInt(price.per));
}

/** A rate as people write it: 500 is "5%", 1250 is "12.5%". */
export function percent(rateBp: number): string {
  const rest = Math.abs(rateBp % 100);
  const whole = Math.trunc(rateBp / 100);
  if (rest === 0) return `${whole}%`;
  return rest % 10 === 0 ? `${whole}.${rest / 10}%` : `${whole}.${String(rest).padStart(2, "0")}%`;
}

/** What the bindings take as the error of a WIT `result`: a thrown value with the payload. */
function declined(reason: string): unknown {
  return Object.assign(new Error(reason), { payload: reason });
}

declare global {
  /** Each is a line of the log of the call that is under way. */
  var console: Record<"log" | "info" | "warn" | "error" | "debug", (...words: unknown[]) => void>;
}

/** While the component is built there is no host to print to. */
let called = false;

function print(...words: unknown[]): void {
  if (!called) return;
  const texts = words.map((word) => (typeof word === "string" ? word : (JSON.stringify(word) ?? String(word))));
  stdout.getStdout().blockingWriteAndFlush(utf8(`${texts.join(" ")}\n`));
}

globalThis.console = { log: print, info: print, warn: print, error: print, debug: print };

/** A percent-encoded text names every byte; a lone surrogate, which has none, becomes a question mark. */
function utf8(text: string): Uint8Array {
  const encoded = encodeURIComponent(text.replace(/\p{Surrogate}/gu, "?"));
  const bytes = encoded.match(/%..|[^%]/g) ?? [];
  return Uint8Array.from(bytes, (byte) => (byte.length === 1 ? byte.charCodeAt(0) : parseInt(byte.slice(1), 16)));
}
