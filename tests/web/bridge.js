/* In place of the serial ports of a browser, in tests alone: one port, whose bytes Python takes to a pseudo-terminal.
 * Chromium lists what its system calls a serial port, and a pseudo-terminal is none. */
(() => {
    const waiting = new Map();
    let count = 0;
    const ask = (what, more) => new Promise((resolve, reject) => {
        waiting.set(++count, { resolve, reject });
        spbootBridge(JSON.stringify({ id: count, what, ...more }));
    });
    const text = (bytes) => btoa(String.fromCharCode(...bytes));
    const bytes = (text64) => Uint8Array.from(atob(text64), (letter) => letter.charCodeAt(0));
    const port = { readable: null, writable: null };
    let source = null;

    function makeReadable() {
        port.readable = new ReadableStream({ start: (controller) => { source = controller; } });
    }

    port.open = async ({ baudRate }) => {
        if (port.readable) throw new DOMException("The port is already open.", "InvalidStateError");
        await ask("open", { baud: baudRate });
        makeReadable();
        port.writable = new WritableStream({ write: (chunk) => ask("write", { data: text(chunk) }) });
    };
    port.close = async () => {
        if (port.readable?.locked || port.writable?.locked) throw new TypeError("a stream is locked");
        port.readable = port.writable = null;
        await ask("close");
    };
    window.bridge = {
        filters: null,
        answer: (id, error) => {
            const { resolve, reject } = waiting.get(id);
            waiting.delete(id);
            if (error) reject(new DOMException(error[1], error[0]));
            else resolve();
        },
        bytes: (text64) => port.readable && source.enqueue(bytes(text64)),
        /* An error that a new stream follows. */
        noise: () => {
            const old = source;
            makeReadable();
            old.error(new DOMException("A framing error was detected.", "FramingError"));
        },
        lost: () => {
            port.readable = null;
            source.error(new DOMException("The device has been lost.", "NetworkError"));
        },
    };
    const serial = {
        requestPort: async ({ filters }) => {
            window.bridge.filters = filters;
            return port;
        },
        getPorts: async () => [],
        addEventListener: () => {},
    };
    Object.defineProperty(navigator, "serial", { value: serial });
})();
