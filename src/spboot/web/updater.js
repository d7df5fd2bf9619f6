/* One device at a port, one file, and the update of the one by the other.  Knows nothing of the page: *show* is told
 * when something has changed. */
import { Delivery, UnfitError } from "./delivery.js";
import { FACTS } from "./facts.js";
import { versionText } from "./manifest.js";
import { LinkError, Port, PortGoneError, StoppedError } from "./port.js";
import { Rate } from "./rate.js";
import { Told } from "./told.js";

const LOOK_S = 0.25;
const LOOK_SIZE = 4096;
const CANCELLED = "the device was told that the file ends here";

export class Updater {
    constructor(show, onText) {
        this.show = show;
        this.onText = onText;
        this.port = null;
        this.file = null;
        this.told = new Told(FACTS.purpose);
        this.stage = "";            /* of an update: "waiting" for a call, "sending", "ending" */
        this.rate = new Rate(() => performance.now() / 1000);
        this.outcome = { kind: "", words: "" };
        this.awaited = null;        /* version that was accepted and has not started yet */
        this.turn = Promise.resolve();
    }

    get busy() {
        return this.stage !== "";
    }

    /* Whether there is something to cancel: not once the device has all of it, or has refused it. */
    get cancellable() {
        return this.stage === "waiting" || this.stage === "sending";
    }

    /* Only one reads the port at a time: whoever comes later waits. */
    alone(work) {
        const mine = this.turn.then(work);
        this.turn = mine.catch(() => {});
        return mine;
    }

    say(kind, words) {
        this.outcome = { kind, words };
        this.show();
    }

    hear(text) {
        const before = this.told.started;
        const news = this.told.feed(text);
        this.onText(text);
        if (this.awaited !== null && this.told.started !== null && this.told.started !== before) this.follow();
        if (news) this.show();
    }

    /* What the bootloader started after an update that was accepted. */
    follow() {
        const { awaited, told: { started } } = this;
        this.awaited = null;
        if (started === awaited) this.say("good", `${this.outcome.words}; ${started} runs now`);
        else this.say("bad", `${this.file.name}: the device started ${started}, expected ${awaited}`);
    }

    async connect(serial, baud) {
        try {
            this.port = await Port.open(serial, baud);
        } catch (error) {
            if (!(error instanceof LinkError)) throw error;
            this.say("bad", error.message);
            return;
        }
        const port = this.port;
        port.onGone = () => this.lose(port);
        this.told = new Told(FACTS.purpose);
        this.say("", "");
        this.listen(port);
    }

    /* An update that goes on says so itself. */
    lose(port) {
        if (this.port === port) this.port = null;
        if (!this.busy) this.say("bad", port.gone.message);
        this.awaited = null;
        port.close();
        this.show();
    }

    /* Shows what the device says while nothing else reads.  Somebody who cancels means the update that comes next. */
    async listen(port) {
        while (this.port === port) {
            try {
                await this.alone(async () => this.port === port && this.hear(await port.read(LOOK_SIZE, LOOK_S)));
            } catch (error) {
                if (error instanceof PortGoneError) return;
                if (!(error instanceof StoppedError)) throw error;
            }
        }
    }

    async release() {
        const port = this.port;
        this.port = null;
        await port?.close();
        this.say("", "");
    }

    async type(text) {
        await this.port?.write(new TextEncoder().encode(text)).catch(() => {});
    }

    /* Bring the file to the device.  *through*: "loader", or "application", which is asked by *key*. */
    async update({ through, key, timeout }) {
        const { port, file } = this;
        this.stage = "waiting";
        this.awaited = null;
        this.say("", "waiting for the device to ask for the file" + (through === "loader" ? ": reset the board" : ""));
        const way = through === "loader" ? { poke: FACTS.line.load } : { key };
        const before = () => this.stage === "waiting" ? "nothing was sent" : CANCELLED;
        try {
            await this.alone(() => this.deliver(new Delivery({ ...way, timeout }), port, file, through));
        } catch (error) {
            if (error instanceof StoppedError) this.say("bad", `${file.name}: cancelled: ${before()}`);
            else if (error instanceof LinkError) this.say("bad", `${file.name}: ${error.message}`);
            else if (error instanceof UnfitError) this.say("bad", error.message);
            else throw error;
        } finally {
            port.go();
            this.stage = "";
            this.show();
        }
    }

    async deliver(delivery, port, file, through) {
        this.rate = new Rate(() => port.now());
        const verdict = await delivery.run(port, file.name, file.bytes, {
            text: (text) => this.hear(text),
            fits: () => this.check(file, through),
            restart: (why) => {
                this.stage = "waiting";
                this.say("", `${why}: waiting for it to ask for the file again`);
            },
            ended: () => {
                this.stage = "ending";
                this.say("", "listening for what the device says of it");
            },
            progress: (done, total) => {
                this.rate.count(done, total);
                this.say("", `sending: ${this.rate.progress}`);
            },
        });
        this.conclude(file, verdict);
    }

    /* By what it said since it was reset. */
    async check(file, through) {
        const words = await file.refusal(this.told);
        const rest = through === "loader" ? "; the device starts its application within a minute" : "";
        if (words) throw new UnfitError(`${words}; nothing was sent${rest}`);
        this.told.started = null;
        this.stage = "sending";
        this.say("", "sending");
    }

    conclude(file, verdict) {
        const done = `${file.name}: ${file.bytes.length} bytes sent${this.rate.summary}; the device`;
        if (verdict === null) {
            this.say("doubt", `${done} did not say what became of it`);
        } else if (verdict.accepted) {
            this.awaited = file.facts.kind === "key" ? null : versionText(file.update.manifest.version);
            this.say("good", `${done}: ${verdict.words.at(-1)}`);
            if (this.awaited !== null && this.told.started !== null) this.follow();
        } else {
            const why = verdict.words.length ? `: ${verdict.words.join("; ")}` : " and did not say why";
            this.say("bad", `${file.name}: the device refused it${why}`);
        }
    }

    cancel() {
        if (this.cancellable) this.port?.stop();
    }
}
