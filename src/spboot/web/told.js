/* What a device tells of itself on its console: board, product and version at a start, and what became of a file. */
import { FACTS } from "./facts.js";
import { versionNumber } from "./manifest.js";

const LONGEST = 4096;
const WORDS = FACTS.words;
const BOARD = new RegExp(`${WORDS.banner}([^,\\s]+)`);
const PRODUCT = /self check good, product (\S+); type load/;
const KEY = /\] key \d+\s*$/;
const BROKEN = /no valid firmware in SLOT0/;
const NOT_WHOLE = /version (\d+\.\d+\.\d+) is not whole/;
const STARTED = /\] starting (\d+\.\d+\.\d+)\r/;
const INSTALLED = new RegExp(WORDS.installed, "g");

export const latin1 = (bytes) => String.fromCharCode(...bytes);

/* Lines out of bytes that come in pieces; one that never ends is cut. */
class Lines {
    constructor() {
        this.rest = "";
    }

    feed(bytes) {
        const lines = (this.rest + latin1(bytes)).split("\n");
        this.rest = lines.pop().slice(-LONGEST);
        return lines.map((line) => `${line}\n`);
    }
}

/* What is known of the device, by all that it said; null: nothing.  *board* and *product*: what a page is made for is
 * believed until the device says otherwise. */
export class Told {
    constructor({ board = null, product = null } = {}) {
        this.lines = new Lines();
        this.board = board;
        this.product = product;
        this.heard = false;     /* whether it said anything of itself */
        this.forget();
    }

    /* What the next start says anew. */
    forget() {
        this.version = null;    /* packed */
        this.whole = true;
        this.rekeyed = false;
        this.started = null;    /* as 1.2.3 */
    }

    /* Whether any of it is news. */
    feed(bytes) {
        const before = this.known();
        for (const line of this.lines.feed(bytes)) this.hear(line);
        return this.known() !== before;
    }

    known() {
        const { board, product, heard, version, whole, rekeyed, started } = this;
        return JSON.stringify([board, product, heard, version, whole, rekeyed, started]);
    }

    hear(line) {
        const board = line.match(BOARD);
        if (board) {
            this.forget();
            this.board = board[1];
            this.heard = true;
        }
        this.product = line.match(PRODUCT)?.[1] ?? this.product;
        if (KEY.test(line)) this.rekeyed = true;
        const installed = [...line.matchAll(INSTALLED)].at(-1);
        if (installed?.[1]) {
            this.version = versionNumber(installed[1]);
            this.heard = true;
        }
        const broken = line.match(NOT_WHOLE);
        if (broken) this.version = versionNumber(broken[1]);
        if (broken || BROKEN.test(line)) this.whole = false;
        const started = line.match(STARTED);
        if (started) this.started = started[1];
    }
}

const STAMP = new RegExp(WORDS.stamp);
const ACCEPTED = new RegExp(WORDS.accepted);
const REFUSED = new RegExp(WORDS.refused);
const UNPRINTED = /[^\x20-\x7e\xa1-\xac\xae-\xff]/g;

function after(before, line) {
    const words = line.replace(UNPRINTED, "").trim().replace(STAMP, "");
    const accepted = ACCEPTED.test(words);
    if (!accepted && !REFUSED.test(words)) return before;
    const kept = before !== null && before.accepted === accepted ? before.words : [];
    return { accepted, words: [...kept, words] };
}

/* Reads the device's text for a verdict on a file: link/verdict.py. */
export class Hearing {
    constructor() {
        this.lines = new Lines();
        this.soFar = null;
    }

    feed(bytes) {
        for (const line of this.lines.feed(bytes)) this.soFar = after(this.soFar, line);
    }

    /* { accepted, words }, or null while the device has not said anything that is one. */
    get verdict() {
        return after(this.soFar, this.lines.rest);
    }
}
