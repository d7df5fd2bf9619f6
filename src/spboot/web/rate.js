/* How far a transfer is, and how fast: of this transfer, which may be the second one (cli/rate.py). */
export class Rate {
    constructor(now) {
        this.now = now;
        this.first = this.last = [0, 0];
        this.total = 0;
    }

    count(done, total) {
        const now = [done, this.now()];
        if (done <= this.last[0] || this.last[0] === 0) this.first = now;
        this.last = now;
        this.total = total;
    }

    get percent() {
        return this.total ? Math.floor(this.last[0] * 100 / this.total) : 0;
    }

    /* Bytes a second; 0: not known yet. */
    get speed() {
        const [count, seconds] = [this.last[0] - this.first[0], this.last[1] - this.first[1]];
        return count > 0 && seconds > 0.05 ? count / seconds : 0;
    }

    /* "42 %, 3 s to go" while it goes on. */
    get progress() {
        const left = this.speed ? `, ${Math.ceil((this.total - this.last[0]) / this.speed)} s to go` : "";
        return `${this.percent} %${left}`;
    }

    /* " in 1.4 s, 8.3 KB/s", "" for a single block. */
    get summary() {
        const seconds = this.last[1] - this.first[1];
        return this.speed ? ` in ${seconds.toFixed(1)} s, ${(this.speed / 1000).toFixed(1)} KB/s` : "";
    }
}
