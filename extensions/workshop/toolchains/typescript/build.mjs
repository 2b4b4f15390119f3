// Builds one TypeScript extension: types of its world by jco, checked by tsc, bundled by rolldown, made a component by
// componentize-qjs. Called as `node build.mjs PROJECT WIT COMPONENT`; the packages are those beside this file.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { componentize } from "componentize-qjs";
import { rolldown } from "rolldown";

const [project, wit, component] = process.argv.slice(2);
const packages = fileURLToPath(new URL("./node_modules/", import.meta.url));

function run(script, args) {
  try {
    execFileSync(process.execPath, [join(packages, script), ...args], { cwd: project, stdio: ["ignore", "pipe", "pipe"] });
  } catch (failed) {
    process.stderr.write(`${failed.stdout ?? ""}${failed.stderr ?? ""}`);
    process.exit(1);
  }
}

const types = join(project, "build", "types");
rmSync(types, { recursive: true, force: true });
run("@bytecodealliance/jco/src/jco.js", ["guest-types", wit, "-n", "guest", "-o", types, "-q"]);
// The interpreter's bindings take and give 64-bit integers as numbers, and give an option without a value as null.
for (const file of readdirSync(join(types, "interfaces"))) {
  const path = join(types, "interfaces", file);
  const text = readFileSync(path, "utf8").replaceAll(/\bbigint\b/g, "number");
  writeFileSync(path, text.replaceAll(/(\w+)\?: ([^\n]+),$/gm, "$1?: $2 | null,"));
}
run("typescript/bin/tsc", ["-p", join(project, "tsconfig.json")]);

const bundle = await rolldown({
  input: join(project, "src", "extension.ts"),
  resolve: { alias: { mortise: join(project, "mortise", "sdk", "typescript", "src", "mortise.ts") } },
  // What the world imports is the host's.
  external: /^wasi:/,
  logLevel: "warn",
});
const { output } = await bundle.generate({ format: "esm" });
await bundle.close();
writeFileSync(join(project, "build", "bundle.js"), output[0].code);

const made = await componentize({ witPath: wit, jsSource: output[0].code, world: "guest", sync: true });
writeFileSync(component, made.component);
