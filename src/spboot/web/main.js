/* The page: what is pressed, chosen and dropped goes to the updater, what it knows is shown. */
import { Candidate, FILE_MOST } from "./candidate.js";
import { FACTS } from "./facts.js";
import { versionText } from "./manifest.js";
import { Screen } from "./screen.js";
import { Updater } from "./updater.js";

const at = (id) => document.getElementById(id);
const screen = new Screen(at("console"));
const updater = new Updater(show, (text) => screen.show(text));
let shown = 0;
let allowed = null;     /* the port that the browser gives without a question, where it is one alone */

const PURPOSE = FACTS.purpose;
const NO_SERIAL = "this browser has no WebSerial: open the page in one that has it, as Chrome or Edge on a computer";
const NOT_SECURE = "a browser gives ports to secure pages alone: open this page by https, from localhost, or as a file";

/* A line about the device: what it said, or what it has not said yet. */
function deviceWords() {
    const { port, told } = updater;
    if (port === null) return "No port is open.";
    if (!told.heard) return "The port is open. The device has not said what it is: it does at its next start.";
    const product = told.product === null ? "" : `, product ${told.product}`;
    if (!told.whole) return `${told.board}${product}, has no valid firmware`;
    const version = told.version === null ? "has not said its version" : `has ${versionText(told.version)}`;
    return `${told.board ?? "The device"}${product}, ${version}`;
}

function put(id, words, kind = null) {
    at(id).textContent = words;
    at(id).hidden = words === "" && id !== "outcome";
    if (kind !== null) at(id).className = kind;
}

/* All that changes.  Of two that overlap the later one counts. */
async function show() {
    const mine = ++shown;
    const { file, told, outcome } = updater;
    put("device", deviceWords());
    put("outcome", outcome.words, outcome.kind);
    at("bar").value = updater.stage === "" && outcome.kind !== "good" ? 0 : updater.rate.percent;
    at("cancel").disabled = !updater.cancellable;
    at("connect").hidden = updater.port !== null;
    at("again").hidden = updater.port !== null || allowed === null;
    at("release").hidden = updater.port === null;
    at("release").disabled = at("file").disabled = updater.busy;
    at("baud").disabled = updater.port !== null;
    at("typed").disabled = updater.port === null || updater.busy;
    const refusal = file === null ? "" : await file.refusal(told);
    const rows = file === null ? [] : await file.rows(told);
    if (mine !== shown) return;
    at("send").disabled = updater.port === null || updater.busy || file === null || refusal !== "";
    put("fault", updater.busy || outcome.kind === "good" ? "" : refusal);
    at("facts").replaceChildren(...rows.map(row));
    at("facts").hidden = rows.length === 0;
}

function row([what, value]) {
    const line = document.createElement("tr");
    for (const words of [what, value]) line.insertCell().textContent = words;
    return line;
}

async function choose(files) {
    if (updater.busy || files.length === 0) return;
    updater.file = null;
    if (files.length > 1) {
        updater.say("bad", `${files.length} files were given: an update is one`);
        return;
    }
    const [file] = files;
    if (file.size > FILE_MOST) {
        updater.say("bad", `${file.name} has ${file.size} bytes, expected an update, of ${FILE_MOST} at most`);
        return;
    }
    try {
        updater.file = await Candidate.of(file.name, new Uint8Array(await file.arrayBuffer()));
        updater.say("", "");
    } catch (error) {
        if (error.name !== "NotReadableError") throw error;
        updater.say("bad", `${file.name} cannot be read: choose it again`);
    }
}

const wanted = () => at("every").checked ? [] : PURPOSE.filters;

/* Which port was allowed before and is there.  Of several nobody knows which is meant: the browser's list asks. */
async function look() {
    const ports = await navigator.serial.getPorts().catch(() => []);
    const fits = (info) => (each) => Object.entries(each).every(([key, value]) => info[key] === value);
    const found = ports.filter((port) => wanted().length === 0 || wanted().some(fits(port.getInfo())));
    allowed = found.length === 1 ? found[0] : null;
    show();
}

const open = (serial) => updater.connect(serial, Number(at("baud").value));

async function connect() {
    try {
        await open(await navigator.serial.requestPort({ filters: wanted() }));
        await look();
    } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        if (error.name === "NotFoundError") updater.say("", "no port was chosen");
        else updater.say("bad", `the browser gives no port: ${error.message}`);
    }
}

function begin() {
    const through = at("by-loader").checked ? "loader" : "application";
    const timeout = Math.max(1, at("timeout").valueAsNumber || FACTS.line.timeout_s);
    updater.update({ through, key: at("key").value, timeout });
}

function type(event) {
    event.preventDefault();
    updater.type(at("typed").value + (at("newline").checked ? "\r\n" : ""));
    at("typed").value = "";
}

function drop(event) {
    event.preventDefault();
    at("drop").classList.toggle("over", event.type === "dragover");
    if (event.type === "drop") choose(event.dataTransfer.files);
}

function fill() {
    const { name, board, button } = PURPOSE;
    const rates = new Set([...FACTS.line.rates, PURPOSE.baud]);
    for (const rate of [...rates].sort((one, other) => one - other)) {
        at("baud").add(new Option(rate, rate, rate === PURPOSE.baud, rate === PURPOSE.baud));
    }
    at("timeout").value = FACTS.line.timeout_s;
    at("key").value = PURPOSE.key;
    at(PURPOSE.key ? "by-application" : "by-loader").checked = true;
    at("every-label").hidden = PURPOSE.filters.length === 0;
    const whom = board === null ? "a device with an spboot bootloader" : `${name || "a device"} on ${board}`;
    const where = PURPOSE.console ? `; its port: ${PURPOSE.console}` : "";
    const how = button ? `; the button: ${button}` : "";
    put("lead", `Sends an update to ${whom} over its serial line${where}${how}. The file goes there and nowhere else.`);
    put("unable", "serial" in navigator ? "" : window.isSecureContext ? NO_SERIAL : NOT_SECURE);
    at("connect").disabled = !("serial" in navigator);
}

function wire() {
    at("connect").addEventListener("click", connect);
    at("again").addEventListener("click", () => open(allowed));
    at("every").addEventListener("change", look);
    at("release").addEventListener("click", () => updater.release());
    at("file").addEventListener("change", () => choose(at("file").files));
    at("send").addEventListener("click", begin);
    at("cancel").addEventListener("click", () => updater.cancel());
    at("typing").addEventListener("submit", type);
    at("clear").addEventListener("click", () => screen.clear());
    for (const name of ["dragover", "dragleave", "drop"]) document.addEventListener(name, drop);
    window.addEventListener("beforeunload", (event) => updater.busy && event.preventDefault());
}

/* What is plugged in and pulled out changes it. */
function watch() {
    if (!("serial" in navigator)) return;
    for (const name of ["connect", "disconnect"]) navigator.serial.addEventListener(name, look);
    look();
}

fill();
wire();
show();
watch();
