/* A file that somebody chose: what it is, and why it is not for a device. */
import { FACTS } from "./facts.js";
import { refusalOf, statusWords } from "./judgement.js";
import { nameId, versionText } from "./manifest.js";
import { FormatError } from "./record.js";
import { factsOf, parseUpdate, worthOf } from "./update.js";

/* Bytes of the largest file that is looked at; no device of these families has room for it. */
export const FILE_MOST = 64 << 20;

export class Candidate {
    /* What does not depend on a device is found out once. */
    static async of(name, bytes) {
        const file = new Candidate();
        Object.assign(file, { name, bytes, facts: null, update: null, fault: "", worth: "" });
        try {
            file.update = parseUpdate(bytes);
            file.facts = await factsOf(file.update);
            const [verdict, why] = await worthOf(file.update);
            file.worth = `${verdict}: ${why}`;
            if (verdict === FACTS.verdicts.damaged) file.fault = file.worth;
        } catch (error) {
            if (!(error instanceof FormatError)) throw error;
            file.fault = error.message;
        }
        return file;
    }

    /* A sentence that says why it is not sent to the device that is *told* of; "" when nothing speaks against it. */
    async refusal(told) {
        if (this.fault) return `${this.name}: ${this.fault}`;
        const status = await refusalOf(this.bytes, told);
        if (!status) return "";
        return `${this.name}: the device would refuse it, ${statusWords(status)} (${this.about(told)})`;
    }

    about(told) {
        const from = this.facts.base_version ? ` from ${this.facts.base_version}` : "";
        const has = told.version === null ? "" : ` with ${versionText(told.version)}`;
        const device = [told.board ?? "not known", told.product && `product ${told.product}`].filter(Boolean).join(", ");
        return `the file: version ${this.facts.version}${from}, board ${this.boardName}; ` +
            `${told.heard ? "this device" : "this page is for"}: ${device}${has}`;
    }

    get boardName() {
        return this.facts.target_name ?? this.facts.target;
    }

    /* What people want to know of it: [what, value]. */
    async rows(told) {
        if (this.facts === null) return [["size", `${this.bytes.length.toLocaleString("en")} bytes`]];
        const f = this.facts;
        const ours = told.product !== null && await nameId(told.product) === this.update.manifest.product;
        const same = told.board !== null && await nameId(told.board) === this.update.manifest.target;
        return [
            ["kind", f.base_version ? `patch from ${f.base_version}` : f.kind],
            [f.kind === "key" ? "index" : "version", f.kind === "key" ? this.update.manifest.version : f.version],
            ["board", same ? told.board : this.boardName],
            ["product", ours ? told.product : f.product],
            ["size", `${this.bytes.length.toLocaleString("en")} bytes`],
            ["on trial", f.trial],
            ["verdict", this.worth],
        ];
    }
}
