/* Delivers one file to one device: waits for its call, transfers, begins again after a reset, reads its verdict.  As
 * link/delivery.py does; only that the device, once it has called, is asked whether the file is one for it. */
import { FACTS } from "./facts.js";
import { LinkError } from "./port.js";
import { Hearing } from "./told.js";
import { RefusedError, RestartedError, decline, listen, sendFile, waitForCall } from "./ymodem.js";

const LINE = FACTS.line;

/* The file is none for this device: nothing of it was sent. */
export class UnfitError extends Error {}

/* How a device is reached: *poke* and *key* as in `waitForCall`. */
export class Delivery {
    constructor({ poke = "", key = "", timeout = LINE.timeout_s }) {
        const encoder = new TextEncoder();
        this.poke = encoder.encode(poke);
        this.key = encoder.encode(key);
        this.timeout = timeout;
    }

    /* The device's verdict, null when it gave none.  *on.fits* throws UnfitError for a file that is not sent; *on.text*
     * hears all that the device says, *on.restart* why a transfer begins again, *on.progress* of bytes, *on.ended* that no
     * more of them follow. */
    async run(port, name, data, on) {
        for (let count = 0; count < LINE.transfers; count++) {
            await waitForCall(port, this.timeout, { onText: on.text, poke: this.poke, key: this.key });
            await this.ask(port, on);
            const hearing = new Hearing();
            const hear = (text) => {
                hearing.feed(text);
                on.text(text);
            };
            let refused = false;
            try {
                await sendFile(port, name, data, { onText: hear, onProgress: on.progress });
            } catch (error) {
                if (error instanceof RestartedError) {
                    on.restart(error.message);
                    continue;
                }
                if (!(error instanceof RefusedError)) throw error;
                refused = true;
            }
            on.ended();
            return conclude(port, hearing, hear, refused);
        }
        throw new LinkError(`the device was reset in each of ${LINE.transfers} transfers: ` +
            "look at its supply, its watchdog and its log");
    }

    /* An application that called is told that there is nothing.  A loader would begin its minute anew. */
    async ask(port, on) {
        try {
            await on.fits();
        } catch (error) {
            if (error instanceof UnfitError && this.key.length) await decline(port, on.text);
            throw error;
        }
    }
}

async function conclude(port, hearing, hear, refused) {
    for (let count = 0; count < LINE.transfers; count++) {
        const called = await listen(port, LINE.quiet_after_s, hear, LINE.pauses * LINE.quiet_after_s);
        if (!called || hearing.verdict) break;
    }
    const verdict = hearing.verdict;
    return refused && (verdict === null || verdict.accepted) ? { accepted: false, words: [] } : verdict;
}
