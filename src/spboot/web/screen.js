/* What a device says, as people read it: whole letters, no control characters, the newest at the end. */
const MOST = 60_000;
const CONTROL = /[^\P{Cc}\n\t]/gu;

export class Screen {
    constructor(element) {
        this.element = element;
        this.clear();
    }

    clear() {
        this.decoder = new TextDecoder();
        this.text = "";
        this.element.textContent = "";
    }

    /* The next bytes, divided anywhere.  Who has scrolled back stays there. */
    show(bytes) {
        const { element } = this;
        const follows = element.scrollTop + element.clientHeight >= element.scrollHeight - 8;
        const text = this.decoder.decode(bytes, { stream: true }).replace(CONTROL, "");
        this.text = (this.text + text).slice(-MOST);
        element.textContent = this.text;
        if (follows) element.scrollTop = element.scrollHeight;
    }
}
