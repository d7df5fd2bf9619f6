/* What a device says, as people read it: whole letters, no control characters, the newest at the end.  It is drawn ten
 * times a second at most: a browser that draws each piece of it anew falls behind a line of 230,400 baud, and bytes are lost. */
const MOST = 60_000;
const DRAW_MS = 100;
const CONTROL = /[^\P{Cc}\n\t]/gu;

export class Screen {
    constructor(element) {
        this.element = element;
        this.timer = null;
        this.clear();
    }

    clear() {
        this.decoder = new TextDecoder();
        this.text = "";
        this.element.textContent = "";
    }

    /* The next bytes, divided anywhere. */
    show(bytes) {
        const text = this.decoder.decode(bytes, { stream: true }).replace(CONTROL, "");
        this.text = (this.text + text).slice(-MOST);
        this.timer ??= setTimeout(() => this.draw(), DRAW_MS);
    }

    /* Who has scrolled back stays there. */
    draw() {
        const { element } = this;
        const follows = element.scrollTop + element.clientHeight >= element.scrollHeight - 8;
        this.timer = null;
        element.textContent = this.text;
        if (follows) element.scrollTop = element.scrollHeight;
    }
}
