// check.mjs WHAT FILE...: judges from npm, as programs. hcl prints the file as JSON; kubernetes
// takes one JSON object and prints what is wrong with it.
import { createRequire } from "module";
import { readFileSync } from "fs";
import { pathToFileURL } from "url";

const require = createRequire(process.env.NODE_PATH + "/");
const [what, file] = process.argv.slice(2);
const text = readFileSync(file, "utf8");

if (what === "hcl") {
	const [parsed, error] = require("hcl2-parser").parseToObject(text);
	if (error || !parsed) {
		console.error(error);
		process.exit(1);
	}
	console.log(JSON.stringify(parsed));
} else if (what === "kubernetes") {
	const object = JSON.parse(text);
	const models = await import(
		pathToFileURL(`${process.env.NODE_PATH}/kubernetes-models/${object.apiVersion}/index.js`));
	new models[object.kind](object).validate();
} else {
	throw new Error(what);
}
