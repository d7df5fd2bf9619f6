"""The table of mistakes: what is typed after `spboot`, the exit code, words that must be said.

`test_mistakes.py` makes them, and says what lies in the folder."""

from __future__ import annotations

from tests.families import ALL

from .conftest import TARGET

POSTBUILD = f"postbuild --board {TARGET} --keys lamp --version 1.2.3 --releases r -o folder"
RELEASE = f"--board {TARGET} --keys lamp --version 1.2.3"
FAMILIES = ", ".join(ALL)

Row = tuple[str, int, tuple[str, ...]]

COMMANDS: list[Row] = [
    ("biuld", 2, ("no such command 'biuld'", "did you mean build or prebuild?")),
    ("frobnicate", 2, ("no such command", "there are: init, example, version, prebuild, postbuild")),
    ("keys nwe lamp", 2, ("'nwe'", "did you mean new?")),
    ("delta", 2, ("encode", "apply")),
    ("build --kyes lamp", 2, ("No such option '--kyes'", "--keys")),
    ("image new.bin", 2, ("no board: give --board, set SPBOOT_BOARD, or make a project file with `spboot init`",)),
    ("delta encode old.bin", 2, ("Missing argument 'NEW'",)),
    ("delta encode old.bin new.bin -o x --base here", 2, ("'here' is not an address, as 0x8008200",)),
    ("delta encode old.bin new.bin -o x --base 0x8008201", 1, ("0x8008201", "multiple of 256")),
]

DEMO: list[Row] = [
    ("demo NUKLEO-L476RG --files folder", 1, ("did you mean NUCLEO-L476RG",)),
    (f"demo --files {TARGET}", 2, (f"--files {TARGET}: expected a folder", "is a board: type it before --files")),
    ("demo --files OWN.toml", 2, ("OWN.toml is a board: type it before --files",)),
    (f"demo {TARGET} --files x --output y", 2, ("--files and --output both name the folder: give it to --files",)),
    (f"demo {TARGET} --files new.bin", 1, ("new.bin is a file, expected a folder to write to",)),
    (f"demo {TARGET} --files lamp", 1, ("lamp is not empty, and nothing that was made for trying a board",)),
    (f"demo {TARGET} --files lamp --force", 1, ("choose another folder",)),
    (f"demo {TARGET} --force", 2, ("--force, --json and -q go with --files",)),
    (f"demo {TARGET} --json", 2, ("--force, --json and -q go with --files",)),
]

PROJECT: list[Row] = [
    ("init", 2, ("no board: give --board, or set SPBOOT_BOARD",)),
    ("init --board NUKLEO-L476RG", 1, ("did you mean NUCLEO-L476RG",)),
    ("init nowhere --board NUCLEO-L476RG", 1, ("nowhere: there is no such folder",)),
    ("init --board NUCLEO-L476RG --name a/b", 1, ("'a/b'", "expected 1 ..")),
    ("init --board NUCLEO-L476RG --name a/b --keys lamp", 1, ("name is 'a/b'", "expected 1 .. 64 characters")),
    ("init --board NUCLEO-L476RG --keys noprod", 1, ("product.toml is missing", "restore it")),
    ("init --board badkey.toml", 1, ("unknown key clock_mhz",)),
    ("--project none.toml map", 1, ("none.toml", "No such file")),
    ("--project OWN.toml map", 1, ("OWN.toml: unknown key 'part'",)),
    ("version", 1, ("is in no git repository with a commit", "tell the version yourself, with --version or SPBOOT")),
    ("version nowhere", 1, ("nowhere: there is no such folder",)),
    ("version new.bin", 1, ("new.bin is a file, expected the folder of the sources",)),
    ("completion tcsh", 2, ("'tcsh'", "bash", "zsh", "fish")),
    ("example cmkae lamp", 2, ("'cmkae' is not one of", "'cmake'", "'cubemx-makefile'")),
    ("example cmake new.bin", 1, ("new.bin", "cannot be made")),
    ("cmake-dir now", 2, ("unexpected extra argument", "now")),
    ("zephyr-overlay --board NUCLEO-L476XX", 1, ("NUCLEO-L476XX", "NUCLEO-L476RG")),
    ("zephyr-overlay", 2, ("no board: give --board, set SPBOOT_BOARD, or make a project file",)),
    ("zephyr-overlay --board NUCLEO-L476RG -o new.bin/x.overlay", 1, ("new.bin", "cannot be made")),
    ("zephyr-overlay --board NUCLEO-L476RG -o folder", 1, ("folder exists and is not a file but a folder",)),
    ("prebuild", 2, ("Missing argument 'DIR'",)),
    (f"prebuild x {RELEASE}", 2, ("no bootloader: give --bootloader or make a project file",)),
    (f"prebuild x {RELEASE} --bootloader none.hex", 1, ("none.hex: there is no such file", "or the folder of")),
    (f"prebuild x {RELEASE} --bootloader stranger.bin", 1, ("holds other keys", "build it again")),
    (f"prebuild x {RELEASE} --bootloader old.bin", 1, ("this is no spboot bootloader",)),
    (f"prebuild new.bin {RELEASE} --bootloader boot.bin", 1, ("new.bin", "cannot be made")),
    (f"prebuild x --board {TARGET} --keys lamp --bootloader boot.bin", 1, ("no git repository", "tell the version")),
    ("postbuild", 2, ("Missing argument 'APP'",)),
    (f"postbuild new.bin {RELEASE}", 2, ("no bootloader: give --bootloader or make a project file",)),
    (f"{POSTBUILD} new.bin --bootloader folder", 1, ("folder: there is no bootloader for", "`spboot build`")),
    (f"{POSTBUILD} new.bin --bootloader stranger.bin", 1, ("holds other keys", "build it again")),
    (f"{POSTBUILD} new.bin --bootloader old.bin", 1, ("this is no spboot bootloader",)),
    (f"{POSTBUILD} none.elf --bootloader boot.bin", 1, ("none.elf", "No such file")),
    (f"{POSTBUILD} new.bin --bootloader boot.bin -o new.bin", 1, ("new.bin", "File exists")),
    (f"{POSTBUILD} new.bin --bootloader boot.bin --last -1", 2, ("--last", "-1")),
    (f"postbuild new.bin --board {TARGET} --keys nosig --version 1.2.3 --releases r --bootloader boot.bin", 1,
        ("signing.pem is missing",)),
    (f"postbuild new.bin --board {TARGET} --keys lamp --releases r --bootloader boot.bin", 1, ("no git repository",)),
]  # fmt: skip

SUPPLY: list[Row] = [
    ("sbom nowhere", 1, ("nowhere: there is no release and no bootloader in it", "`spboot build`")),
    ("sbom folder --board NUKLEO", 1, ("unknown board 'NUKLEO'",)),
    ("sbom folder --board NUCLEO-L476RG", 1, ("build.json: there is no such file", "build the bootloader")),
    ("sbom folder -o folder", 1, ("folder exists and is not a file but a folder",)),
    ("reproduce folder", 2, ("no key folder: give --keys",)),
    ("reproduce folder --keys lamp", 1, ("there is no release and no bootloader in it",)),
    ("dossier folder --keys lamp", 1, ("release.json: cannot be read", "No such file")),
    ("dossier folder --keys lamp --without luck", 2, ("'luck' is not one of 'starts'",)),
    ("dossier folder --keys lamp --points 0", 2, ("--points", "0 is not in the range x>=1")),
    ("page", 2, ("no folder of releases: give RELEASES, set SPBOOT_RELEASES, or make a project file",)),
    ("page folder", 1, ("folder: there is no release: keep one with `spboot postbuild --release`",)),
    ("page nowhere", 1, ("nowhere",)),
    ("rehearse", 2, ("no board: give --board",)),
    (f"rehearse --board {TARGET}", 2, ("nothing to rehearse: give --from and --to",)),
    (f"rehearse --board {TARGET} --from old.elf", 2, ("--from names the old application, --to the new one",)),
    (f"rehearse --board {TARGET} --part 3/2", 2, ("'3/2' is not K/N with K from 1 to N, as 1/8",)),
    ("drill", 2, ("no board: give --board",)),
    (f"drill --board {TARGET} --keys lamp --releases folder", 1, (f"{TARGET} has no area for keys", "docs/keys.md")),
]

BOARDS: list[Row] = [
    ("boards nucleo-l476rg", 1, ("unknown board", "did you mean NUCLEO-L476RG?")),
    ("map NUKLEO-L476RG", 1, ("did you mean NUCLEO-L476RG",)),
    ("map L476", 1, ("DISCO-L476G", "NUCLEO-L476RG")),
    ("map STM32L475VG", 1, ("STM32L475VG is a part", "spboot board new NAME --mcu STM32L475VG")),
    ("map stm32l475vgt6", 1, ("STM32L475VG is a part",)),
    ("map XYZZY", 1, ("unknown board 'XYZZY'", "known: B-L072Z-LRWAN1", ".toml")),
    ("map OWN", 1, ("OWN.toml is here: type OWN.toml",)),
    ("map lamp", 1, ("file or a folder", "spboot boards")),
    ("map nowhere/x.toml", 1, ("nowhere", "No such file", "spboot board new")),
    ("map badtoml.toml", 1, ("badtoml.toml", "not a TOML file", "line 3")),
    ("map badkey.toml", 1, ("badkey.toml", "unknown key clock_mhz", "did you mean clock_hz?")),
    ("map badbaud.toml", 1, ("console.baud is 'fast'", "whole number above 0")),
    ("map badtable.toml", 1, ("unknown key ran", "did you mean ram?")),
    ("map empty.toml", 1, ("part is missing", "spboot board new")),
    ("map noise.toml", 1, ("noise.toml", "not a TOML file")),
    ("build lamp --keys NUCLEO-L476RG -o x", 1, ("'lamp'", "expected the name of a board")),
    ("demo NUCLEO-L476", 1, ("unknown board 'NUCLEO-L476'", "did you mean NUCLEO-L476RG")),
    ("demo -o folder/../lamp", 1, ("lamp is not empty and not of an earlier demo", "choose another --output")),
    ("demo -o new.bin", 1, ("new.bin is a file, expected a folder", "choose another --output")),
    ("demo -o new.bin/x", 1, ("new.bin",)),
    ("twin new.bin --image NUCLEO-L476RG", 1, ("'new.bin'", "expected the name of a board")),
    ("chip STM32F103C8", 1, ("a family that we do not have", FAMILIES)),
    ("chip STM32L475VX", 1, ("did you mean STM32L475V",)),
    ("chip L475VG", 1, ("did you mean STM32L475VG?",)),
    ("chip ESP32", 1, ("unknown part 'ESP32'", "spboot chips")),
    ("chips F103", 1, ("no part fits", FAMILIES)),
    ("board new STM32L475VG --mcu MINE", 1, ("swap the two", "spboot board new MINE --mcu STM32L475VG")),
    ("board new MINE --mcu STM32F103C8", 1, ("a family that we do not have",)),
    ("board new NUCLEO-L476RG --mcu STM32L476RG", 1, ("comes with spboot", "choose another name")),
    ("board new MINE --mcu STM32L476RG --console USART2", 2, ("PORT:TX:RX", "USART2:PA2:PA3")),
    ("board new MINE --mcu STM32L476RG --console USART9:PA2:PA3", 1, ("USART9", "USART1, USART2")),
    ("board new MINE --mcu STM32L476RG --button PC13", 2, ("PIN:LEVEL", "PC13:low")),
    ("board new MINE --mcu STM32L476RG --keep-free 9X", 2, ("4K, 2M, 4096 or 0x1000",)),
    ("board new MINE --mcu STM32L476RG --clock 500", 1, ("500000000", "at most 80000000")),
    ("board new OWN --mcu STM32L476RG", 1, ("OWN.toml exists", "-o")),
    ("board new MINE --mcu STM32L476RG -o folder", 1, ("folder is a folder", "folder/MINE.toml")),
    ("board new MINE --mcu STM32L476RG -o nowhere/MINE.toml", 1, ("there is no folder", "make it first")),
    ("board new MINE --mcu STM32L476RG -o OTHER.toml", 1, ("called MINE.toml",)),
]

KEYS: list[Row] = [
    (f"build {TARGET} --keys nowhere -o x", 1, ("nowhere", "no such folder", "spboot keys new nowhere")),
    (f"build {TARGET} --keys new.bin -o x", 1, ("new.bin", "not a folder but a file", "signing.pem")),
    (f"build {TARGET} --keys lamp/signing.pem -o x", 1, ("not a folder but a file", "/lamp")),
    (f"build {TARGET} --keys folder -o x", 1, ("folder is no key folder", "encryption.key")),
    (f"build {TARGET} --keys noenc -o x", 1, ("noenc/encryption.key is missing", "restore it from your copy")),
    (f"image new.bin --board {TARGET} --keys nosig --version 1 -o x", 1, ("signing.pem is missing", "restore it")),
    (f"build {TARGET} --keys nopem -o x", 1, ("verify.pem is missing", "restore it")),
    (f"build {TARGET} --keys noprod -o x", 1, ("product.toml is missing", 'product = "NAME"')),
    ("keys new lamp", 1, ("lamp/signing.pem exists already", "never overwritten")),
    ("keys new new.bin", 1, ("new.bin is a file", "choose another name")),
    ("keys new new.bin/keys", 1, ("new.bin", "Not a directory", "no key was made")),
    ("keys new 'two words'", 1, ("'two words'", "--product")),
    ("keys new fresh --passphrase", 1, ("no terminal", "--passphrase-file FILE", "SPBOOT_PASSPHRASE")),
    ("keys new fresh --passphrase-file none.txt", 1, ("none.txt", "cannot be read")),
    ("keys new fresh --verify x.sfb", 1, ("x.sfb", "not a public key in PEM form")),
    ("keys show folder", 1, ("folder is no key folder",)),
    ("keys export lamp -o key.txt", 1, ("key.txt", ".pem, .der, .h", "--public-only")),
    ("keys export lamp -o stranger --public-only", 1, ("stranger/", "exists already", "choose another folder")),
    (f"image new.bin {RELEASE} -o x --signer none", 1, ("the signer none cannot be started", "a program")),
    (
        f"image new.bin {RELEASE} -o x --signer false",
        1,
        ("signer false ended with exit code 1", "nothing was signed"),
    ),
    (f"image new.bin {RELEASE} -o x --signer 'echo no'", 1, ("3 bytes", "not one by key", "expected DER")),
    (f"image new.bin {RELEASE} -o x --signer pkcs11:x", 1, ("'x'", "NAME=VALUE", "pkcs11:token=NAME")),
    (f"image new.bin {RELEASE} -o x --signer a --digest-out d", 2, ("are ways to sign", "give one")),
    (f"image new.bin {RELEASE} -o x --signature-in old.bin", 1, ("x.unsigned is missing", "--digest-out first")),
    (f"image new.bin {RELEASE} -o x --encryption-key new.bin", 1, ("new.bin", "more than one line")),
    (f"merge boot.bin new.bin {RELEASE} -o x.hex --signature-in none", 1, ("none", "cannot be read")),
    ("verify x.sfb --keys stranger --keys nosig --from x", 1, ("x: cannot be read",)),
]

VERSIONS: list[Row] = [
    ("image new.bin {release} --version 1.2.3-rc1 -o x", 1, ("'1.2.3-rc1'", "no pre-releases", "use 1.2.3")),
    ("image new.bin {release} --version 1.2.3+7 -o x", 1, ("'1.2.3+7'", "use 1.2.3")),
    ("image new.bin {release} --version 1.2.3.4 -o x", 1, ("at most three numbers, as 1.2.3",)),
    ("image new.bin {release} --version one -o x", 1, ("version is 'one'", "three numbers as 1.2.3")),
    ("image new.bin {release} --version 1.2.256 -o x", 1, ("patch is 256, expected 0 .. 255", "raise minor")),
    ("image new.bin {release} --version 1.65536 -o x", 1, ("minor is 65536", "raise major")),
    ("image new.bin {release} --version 256 -o x", 1, ("major is 256, expected 0 .. 255",)),
]

OUTPUTS: list[Row] = [
    (f"image new.bin {RELEASE} -o folder", 1, ("folder exists and is not a file but a folder", "add a file name")),
    (f"image new.bin {RELEASE} -o nowhere/x.sfb", 1, ("there is no folder", "make it first")),
    (f"image new.bin {RELEASE} -o old.bin/x.sfb", 1, ("is a file, expected a folder",)),
    (f"image new.bin {RELEASE} -o new.bin", 1, ("new.bin is an input", "choose another output")),
    (f"image none.bin {RELEASE} -o x", 1, ("none.bin", "cannot be read", "No such file")),
    (f"image folder {RELEASE} -o x", 1, ("folder", "cannot be read", "Is a directory")),
    (f"map {TARGET} --svg folder", 1, ("folder exists and is not a file",)),
    (f"map {TARGET} --svg nowhere/x.svg", 1, ("there is no folder",)),
    (f"build {TARGET} --keys lamp -o new.bin", 1, ("new.bin is a file, expected a folder",)),
    (f"build {TARGET} --keys lamp -o new.bin/x", 1, ("new.bin/x: cannot be written: Not a directory",)),
    (f"merge boot.bin new.bin {RELEASE} -o x.srec", 1, ("x.srec", ".hex, .bin or .elf")),
    ("delta encode old.bin new.bin -o nowhere/x", 1, ("there is no folder",)),
    (f"image new.bin {RELEASE} -o {'n' * 300}", 1, ("nnn", "File name too long")),
]

FILES_IN_THE_WRONG_PLACE: list[Row] = [
    (f"merge new.bin boot.bin {RELEASE} -o x.hex", 1, ("boot.bin is the bootloader", "swap the two")),
    (f"merge new.bin boot.hex {RELEASE} -o x.hex", 1, ("boot.hex is the bootloader", "swap the two")),
    (f"merge new.bin old.bin {RELEASE} -o x.hex", 1, ("new.bin: this is no spboot bootloader",)),
    (f"merge app.elf new.bin {RELEASE} -o x.hex", 1, ("app.elf: this is no spboot bootloader",)),
    (f"merge other.hex new.bin {RELEASE} -o x.hex", 1, ("other.hex", "NUCLEO-L452RE", "choose another --board")),
    (f"merge stranger.bin new.bin {RELEASE} -o x.hex", 1, ("stranger.bin", "other keys", "build it again")),
    (f"merge bad.hex new.bin {RELEASE} -o x.hex", 1, ("bad.hex", "line 1", "not an Intel HEX record")),
    (f"merge bad.elf new.bin {RELEASE} -o x.hex", 1, ("bad.elf", "not a usable ELF file")),
    (
        f"merge ram.elf new.bin {RELEASE} -o x.hex",
        1,
        ("ram.elf: 4 bytes at 0x20000000, which is RAM (SRAM); a bootloader",),
    ),
    (
        f"merge format2.bin new.bin {RELEASE} -o x.hex",
        1,
        ("format2.bin", "takes updates of format 2", "another release"),
    ),
    (f"merge damaged.bin new.bin {RELEASE} -o x.hex", 1, ("damaged.bin", "another hash than it says")),
    (
        f"merge factory.hex new.bin {RELEASE} -o x.bin",
        1,
        ("factory.hex", "the place of slot0; a bootloader has"),
    ),
    (f"merge factory.bin new.bin {RELEASE} -o x.bin", 1, ("ends outside the bootloader's place", "bootloader alone")),
    ("inspect app.elf", 1, ("app.elf is an ELF file", "expected an update file", "spboot image")),
    ("inspect boot.hex", 1, ("boot.hex is an Intel HEX file",)),
    ("inspect boot.bin", 1, ("boot.bin is a bootloader",)),
    ("inspect lamp/verify.pem", 1, ("verify.pem is a key",)),
    ("inspect empty.toml", 1, ("empty.toml is an empty file",)),
    ("inspect new.bin", 1, ("new.bin: manifest", "not an update file")),
    ("inspect short.sfb", 1, ("short.sfb", "get the whole file again")),
    ("explain --from old.bin", 2, ("Missing option '--to'",)),
    ("explain --from old.bin --to new.bin", 1, ("which board", "--board")),
    (f"explain --from old.bin --to old.bin --board {TARGET}", 1, ("there is nothing to patch",)),
    (f"explain --from old.bin --to new.bin --board {TARGET} -n 0", 2, ("0 is not in the range",)),
    (f"explain --from old.bin --to new.bin --board {TARGET} --svg new.bin", 1, ("new.bin is an input",)),
    (f"explain --from old.bin --to new.bin --board {TARGET} --html no/x.html", 1, ("there is no folder", "make it")),
    ("explain x.sfb --from old.bin --to new.bin", 1, ("x.sfb: this is a full image", "expected a patch (.sfbp)")),
    ("explain app.elf --from old.bin --to new.bin", 1, ("app.elf is an ELF file", "expected an update file")),
    (
        "explain change.delta --from new.bin --to old.bin",
        1,
        ("change.delta", "OLD is another file"),
    ),
    ("explain change.delta --from old.bin --to x.sfb", 1, ("change.delta", "give the one it was made for")),
    ("explain change.delta --from old.bin --to new.bin --keys lamp", 1, ("a delta file", "leave --board and --keys")),
    ("explain change.sfbp --from old.bin --to new.bin", 1, ("change.sfbp", "encrypted", "give --keys DIR")),
    ("explain change.sfbp --from old.bin --to new.bin --keys stranger", 1, ("change.sfbp", "the signature is wrong")),
    ("explain change.sfbp --from new.bin --to new.bin", 1, ("change.sfbp", "starts from another image", "1.2.2")),
    ("explain change.sfbp --from old.bin --to old.bin", 1, ("change.sfbp", "makes another image")),
    ("verify app.elf --keys lamp", 1, ("app.elf is an ELF file", "expected an update file")),
    ("verify change.delta --keys lamp", 1, ("change.delta is a delta file", "expected an update file")),
    ("verify lamp --keys x.sfb", 1, ("lamp", "Is a directory")),
    ("verify damaged.sfb --keys lamp", 1, ("damaged.sfb: payload: chunk",)),
    ("verify x.sfb --keys stranger", 1, ("x.sfb", "the signature is wrong")),
    ("delta apply change.delta old.bin -o x", 1, ("change.delta is the delta file", "swap the two")),
    ("delta apply old.bin x.sfb -o x", 1, ("x.sfb is an update file", "expected a delta file")),
    ("delta apply old.bin new.bin -o x", 1, ("new.bin: delta file: magic",)),
    ("delta apply new.bin change.delta -o x", 1, ("change.delta: ", "OLD is another file")),
]

TWIN: list[Row] = [
    ("twin", 2, ("Missing argument 'BOARD'",)),
    (f"twin {TARGET}", 2, ("nothing to run", "--image")),
    (f"twin {TARGET} --image boot.hex --torn", 2, ("--torn", "--cut N", "give both")),
    (f"twin {TARGET} --image boot.hex --cut x", 2, ("'x'", "40:torn:random=7")),
    (f"twin {TARGET} --image boot.hex --cut -1", 2, ("'-1'", "number of a flash operation")),
    (f"twin {TARGET} --image boot.hex --cut 3:torn:rain=1", 2, ("random, prefix, suffix or miss",)),
    (f"twin {TARGET} --image boot.hex --cut 3:after --torn", 2, ("give one of them",)),
    (f"twin {TARGET} --image boot.hex --cut 3:rust=1", 2, ("marginal, weak, single",)),
    ("twin NUCLEO-F429ZI --image boot.hex --cut 3:single=1", 1, ("no ECC of this part reports an error",)),
    (f"twin {TARGET} --image boot.hex --fault worn", 1, ("expected maximal", "worn:0x08040000=3")),
    (f"twin {TARGET} --image boot.hex --fault worn:0x09000000=3", 1, ("no flash at 0x09000000",)),
    *(
        (f"twin {TARGET} --image boot.hex --speed {speed}", 2, (f"'{speed}' is not a number above 0",))
        for speed in ("0", "-1", "nan", "fast", "-inf")
    ),
    ("twin LORA-E5-DEV --image boot.hex", 1, ("boot.hex", f"built for {TARGET}", f"spboot twin {TARGET}")),
    ("twin NUCLEO-L452RE --image boot.hex", 1, ("boot.hex", f"built for {TARGET}")),
    ("twin NUCLEO-L412KB --image factory.hex", 1, ("factory.hex", f"built for {TARGET}")),
    (f"twin {TARGET} --image mine.bin", 1, ("mine.bin", "a board that is not ours")),
    ("twin NUCLEO-L412KB --image boot.hex --button", 1, ("no button", "`load`")),
    (f"twin {TARGET} --image none.hex", 1, ("none.hex", "cannot be read")),
    (f"twin {TARGET} --image x.sfb", 1, ("x.sfb", ".elf, .hex or .bin")),
    (f"twin {TARGET} --image ram.elf", 1, ("ram.elf", "outside of flash")),
    (f"twin {TARGET} --state folder", 1, ("folder exists and is not a file",)),
    (f"twin {TARGET} --state nowhere/x --image boot.hex", 1, ("there is no folder",)),
    (f"twin {TARGET} --state new.bin", 1, ("new.bin", "not a state file")),
    (f"twin {TARGET} --state boot.hex --image boot.hex", 1, ("boot.hex is an input",)),
    (f"twin {TARGET} --image boot.hex --pty new.bin", 1, ("new.bin exists already", "give a name that is free")),
]

GETTING_IT_THERE: list[Row] = [
    (f"flash x.sfb --board {TARGET}", 1, ("x.sfb is an update file", "spboot send PORT x.sfb", "spboot merge")),
    (f"flash change.delta --board {TARGET}", 1, ("change.delta is a delta file", "spboot merge")),
    (f"flash app.elf --board {TARGET}", 1, ("app.elf has no bootloader at 0x08000000", "spboot merge")),
    (f"flash new.bin --board {TARGET}", 1, ("new.bin has no bootloader",)),
    (f"flash other.hex --board {TARGET}", 1, (f"not that of {TARGET}, but was built for NUCLEO-L452RE",)),
    (f"flash mine.bin --board {TARGET}", 1, ("built for a board that is not ours",)),
    (f"flash lamp/verify.pem --board {TARGET}", 1, ("verify.pem", "know .hex, .bin and .elf by their names: rename")),
    (f"flash bad.hex --board {TARGET}", 1, ("bad.hex", "line 1", "not an Intel HEX record")),
    (f"flash none.hex --board {TARGET}", 1, ("none.hex", "cannot be read")),
    ("flash boot.hex --board NUKLEO-L476RG", 1, ("did you mean NUCLEO-L476RG",)),
    ("flash boot.hex", 2, ("no board: give --board, set SPBOOT_BOARD, or make a project file",)),
    (f"flash boot.hex --board {TARGET} --with jlink", 2, ("'jlink' is not one of 'cubeprogrammer', 'pyocd'",)),
    ("ports x", 2, ("unexpected extra argument",)),
    ("send", 2, ("Missing argument 'FILE'",)),
    ("stick", 2, ("Missing argument 'FOLDER'",)),
    (f"stick folder --board {TARGET} --keys lamp", 2, ("Missing option '--version'",)),
    (f"stick folder --version 1.x --board {TARGET} --keys lamp", 1, ("'1.x'", "expected three numbers as 1.2.3")),
    (f"stick nowhere {RELEASE}", 1, ("nowhere: cannot be read: No such file",)),
    (f"stick new.bin {RELEASE}", 1, ("new.bin: cannot be read: Not a directory",)),
    (f"stick folder --from none.elf {RELEASE}", 1, ("none.elf", "No such file")),
    ("send /dev/null", 2, ("Missing argument 'FILE'",)),
    ("send /dev/ttyNONE x.sfb", 1, ("/dev/ttyNONE: there is no such port",)),
    ("send none.sfb", 1, ("none.sfb", "cannot be read")),
    (f"send /dev/ttyNONE x.sfb --board {TARGET}X", 1, ("unknown board",)),
    ("monitor /dev/ttyNONE", 1, ("/dev/ttyNONE: there is no such port",)),
    ("monitor new.bin", 1, ("new.bin: is not a serial port",)),
    ("monitor /dev/ttyNONE --log nowhere/x.log", 1, ("there is no folder", "make it first")),
    ("monitor /dev/ttyNONE --log folder", 1, ("folder exists and is not a file",)),
    ("monitor --seconds -1", 2, ("-1.0 is not in the range",)),
    ("update", 2, ("Missing argument 'RELEASE'",)),
    ("update folder", 1, ("folder has no release.json", "give the folder of a release")),
    ("update x.sfb --dry-run", 1, ("x.sfb has no release.json",)),
    ("update /dev/ttyNONE none", 1, ("none has no release.json",)),
    ("update release --installed 1.2.x --dry-run", 1, ("version is '1.2.x'",)),
    ("update release --installed 1.3.0 --dry-run", 1, ("has 1.3.0, and takes nothing older: 1.2.0 is",)),
    ("update /dev/ttyNONE release", 1, ("/dev/ttyNONE: there is no such port",)),
    ("update release --board NUCLEO-L452RE", 1, (f"release is for {TARGET}, not for NUCLEO-L452RE",)),
    ("update badrelease", 1, ("badrelease/release.json: items is None, expected a list",)),
]

TABLE = [
    *(
        COMMANDS
        + DEMO
        + PROJECT
        + SUPPLY
        + BOARDS
        + KEYS
        + OUTPUTS
        + FILES_IN_THE_WRONG_PLACE
        + TWIN
        + GETTING_IT_THERE
    ),
    *((text.format(release=f"--board {TARGET} --keys lamp"), code, words) for text, code, words in VERSIONS),
]
