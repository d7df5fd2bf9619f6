# spboot.mk - for a Makefile as STM32CubeMX generates it, behind all that is in it:
#
#   SPBOOT ?= spboot
#   include $(or $(shell $(SPBOOT) cmake-dir),$(error spboot is not on PATH))/spboot.mk
#
# It uses TARGET, BUILD_DIR, OBJECTS, C_INCLUDES, LDFLAGS and the goal all, which such a Makefile has.  The project file
# spboot.toml says the rest; SPBOOT_BOARD, SPBOOT_KEYS, SPBOOT_VERSION, SPBOOT_NAME and SPBOOT_RELEASES, in the Makefile
# in front of the include or in the environment, come before it.  `make all` ends with `spboot postbuild`; `make
# spboot-release` keeps a release, `make spboot-flash` programs the board.

SPBOOT ?= spboot
SPBOOT_DIR ?= $(BUILD_DIR)/spboot
SPBOOT_POSTBUILD_OPTIONS ?=

ifeq ($(and $(TARGET),$(BUILD_DIR),$(OBJECTS)),)
$(error spboot.mk: TARGET, BUILD_DIR or OBJECTS is empty: include it at the end of the Makefile)
endif
$(foreach name,BOARD KEYS VERSION NAME RELEASES PROJECT,$(if $(SPBOOT_$(name)),$(eval export SPBOOT_$(name))))

SPBOOT_ELF := $(BUILD_DIR)/$(TARGET).elf
SPBOOT_LINKED := $(addprefix $(SPBOOT_DIR)/,spboot.ld spboot-check.ld spboot-memory.ld bootloader.txt)
SPBOOT_HEADERS := $(addprefix $(SPBOOT_DIR)/,spboot_version.h spboot/spboot.h)

C_INCLUDES += -I$(SPBOOT_DIR)
LDFLAGS += -L$(SPBOOT_DIR)

.PHONY: spboot-prebuild spboot-release spboot-flash
.DELETE_ON_ERROR:

all: $(BUILD_DIR)/$(TARGET).spboot

# Each time; what it does not change is not newer than what was made of it.
spboot-prebuild:
	@$(SPBOOT) prebuild --quiet $(SPBOOT_DIR)

$(SPBOOT_LINKED) $(SPBOOT_HEADERS): spboot-prebuild ;

$(OBJECTS): | $(SPBOOT_HEADERS)

$(SPBOOT_ELF): $(SPBOOT_LINKED) $(SPBOOT_DIR)/spboot_version.h

$(BUILD_DIR)/$(TARGET).spboot: $(SPBOOT_ELF)
	$(SPBOOT) postbuild $(SPBOOT_POSTBUILD_OPTIONS) $<
	@echo made by spboot postbuild > $@

spboot-release: $(SPBOOT_ELF)
	$(SPBOOT) postbuild --release $(SPBOOT_POSTBUILD_OPTIONS) $<

# The factory file is named by the version: postbuild says which it is.
_spboot_comma := ,
_spboot_words = $(subst ",,$(subst $(_spboot_comma),,$(subst "folder": ,folder=,$(1))))
_spboot_factory = $(patsubst folder=%,%,$(filter folder=%,$(1)))/$(filter BOOT_%.hex,$(1))

spboot-flash: $(SPBOOT_ELF)
	$(SPBOOT) flash $(call _spboot_factory,$(call _spboot_words,$(shell $(SPBOOT) postbuild --json $(SPBOOT_POSTBUILD_OPTIONS) $<)))
