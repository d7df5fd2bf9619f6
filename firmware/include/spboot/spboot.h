/* SPDX-License-Identifier: MIT */
/* spboot.h - what an application can ask of the bootloader below it.
 * The functions live in the bootloader; the linker include that `spboot build` writes next to this header binds their
 * names, so nothing is linked into the application.  An application linked once works with every later bootloader.
 *
 * Call them from thread mode (main loop or one task), on any stack with 64 bytes free (SE_PATCH_PrintStatus: 160) and
 * room for an interrupt's frame: the engine runs on a stack of its own in the reserved RAM, with interrupts on.  A second
 * task that calls while one is inside gets BUSY.  Where an RTOS checks the stack pointer of a task when it switches to
 * another one, let the engine run on the stack of its caller: SE_PATCH_SetStack.  Flash is erased and programmed while
 * SE_PATCH_Data runs: write no other flash meanwhile.  Interrupts are served late while the flash bank is busy that
 * their code, or the bootloader, is in: on STM32F4, F7 and H7 for seconds when a sector of that bank is erased. */
#ifndef SPBOOT_H
#define SPBOOT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { SE_ERROR = 0, SE_SUCCESS = 1, SE_ErrorStatus_WIDTH = 0x7FFFFFFF } SE_ErrorStatus;

typedef enum {
    SE_OK = 0,                       /* the answer is filled in */
    SE_KO,                           /* a pointer is null or a length is too small */
    SE_INIT_ERR,
    SE_BOOT_INFO_ERR,
    SE_BOOT_INFO_ERR_FACTORY_RESET,
    SE_SIGNATURE_ERR,
    SE_ERR_FLASH_READ,
    SE_StatusTypeDef_WIDTH = 0x7FFFFFFF
} SE_StatusTypeDef;

/* Why a call failed, or COMPLETED.  SE_PATCH_GetStatusCodeString says it in words.  Names and numbers up to
 * FLASH_CIPHER_ERROR are those applications of this kind already know; some of them are never returned. */
typedef enum {
    SE_PATCH_StatusCode_NONE,
    SE_PATCH_StatusCode_COMPLETED,
    SE_PATCH_StatusCode_INVALID_ARG,
    SE_PATCH_StatusCode_INVALID_PATCH_IMAGE,
    SE_PATCH_StatusCode_INVALID_SOURCE_IMAGE,
    SE_PATCH_StatusCode_INVALID_TARGET_IMAGE,
    SE_PATCH_StatusCode_INVALID_PATCH_TAG,
    SE_PATCH_StatusCode_IMAGE_TOO_LARGE,
    SE_PATCH_StatusCode_IMAGE_TOO_SMALL,
    SE_PATCH_StatusCode_SECTION_NOT_AVAILABLE,
    SE_PATCH_StatusCode_SECTION_ERASE_FAILURE,
    SE_PATCH_StatusCode_SECTION_WRITE_FAILURE,
    SE_PATCH_StatusCode_IMAGE_VERSION_FAILURE,
    SE_PATCH_StatusCode_INVALID_SECTION_KEY,
    SE_PATCH_StatusCode_IMAGE_VERIFY_TAG_FAILURE,
    SE_PATCH_StatusCode_IMAGE_VERIFY_ALG_FAILURE,
    SE_PATCH_StatusCode_IMAGE_DECRYPT_FAILURE,
    SE_PATCH_StatusCode_INVALID_STATE,
    SE_PATCH_StatusCode_INVALID_ORDER,
    SE_PATCH_StatusCode_TOO_FEW_BYTES,
    SE_PATCH_StatusCode_PARSER_ERROR,
    SE_PATCH_StatusCode_DECRYPTION_ERROR,
    SE_PATCH_StatusCode_INSTALL_ERROR,
    SE_PATCH_StatusCode_FLASH_ERROR,
    SE_PATCH_StatusCode_FLASH_SEGMENT_ERROR,
    SE_PATCH_StatusCode_FLASH_CIPHER_ERROR,
    SE_PATCH_StatusCode_SAME_VERSION,
    SE_PATCH_StatusCode_WRONG_BOARD,
    SE_PATCH_StatusCode_TOO_MANY_BYTES,
    SE_PATCH_StatusCode_BUSY,
    SE_PATCH_StatusCode_NOT_PERSONALISED,
    SE_PATCH_StatusCode_SINGLE_SLOT,
    SE_PATCH_StatusCode_CANNOT_START,
    SE_PATCH_StatusCode_WRITE_PROTECTED,
    SE_PATCH_StatusCode_TOO_MANY_STARTS,
    SE_PATCH_StatusCode_WATCHDOG_WINDOW,
    SE_PATCH_StatusCode_UNSUPPORTED,
    SE_PATCH_StatusCode_NOT_CONFIRMED,
    SE_PATCH_StatusCode__MAX__,
    SE_PATCH_StatusCode_WIDTH = 0x7FFFFFFF
} SE_PATCH_StatusCode;

typedef enum {
    SE_PATCH_ImageType_NONE = 0,     /* any that the update names */
    SE_PATCH_ImageType_APP,
    SE_PATCH_ImageType_WIDTH = 0x7FFFFFFF
} SE_PATCH_ImageType;

/* What happens once the last byte is in and the new image was read back and is the signed one. */
#define SE_PATCH_RebootDelay_IMMEDIATE ((uint16_t)0)      /* marked for installation, and the chip resets now */
#define SE_PATCH_RebootDelay_NEXT ((uint16_t)1)           /* marked; installed at the next reset, whoever causes it */
#define SE_PATCH_RebootDelay_COMMAND ((uint16_t)0xFFFF)   /* nothing, until SE_PATCH_InstallAtNextReset */

typedef struct {
    SE_PATCH_ImageType type;
    uint16_t rebootDelay;            /* one of SE_PATCH_RebootDelay_*; others are refused */
    uint32_t totalLength;            /* bytes of the update file, to refuse early what cannot fit; 0 when unknown */
} SE_PATCH_StartInfo;

typedef enum {
    SE_PATCH_Stage_IDLE,             /* waiting for SE_PATCH_Init */
    SE_PATCH_Stage_UPDATE,           /* waiting for SE_PATCH_Data */
    SE_PATCH_Stage_VERIFIED,         /* the new image is in SLOT1, complete and verified */
    SE_PATCH_Stage_WIDTH = 0x7FFFFFFF
} SE_PATCH_Stage;

typedef struct {
    bool completed;                  /* after a call: it did its work.  After a poll: stage is VERIFIED */
    bool error;                      /* the last call failed, code says why; stage says whether an update is still there */
    SE_PATCH_StatusCode code;
    SE_PATCH_Stage stage;
    uint32_t accumBytes;             /* bytes of the update file taken so far */
    uint32_t totalBytes;             /* bytes of the update file, 0 until its first 140 bytes are in */
} SE_PATCH_Status;

/* Sets *status to "nothing yet". */
void SE_PATCH_InitStatus(SE_PATCH_Status *status);

/* Prints *status as one line on the board's console, if the application keeps that UART running. */
void SE_PATCH_PrintStatus(const SE_PATCH_Status *status);

typedef enum {
    SE_PATCH_Stack_RESERVED = 0,     /* the engine's own, in the reserved RAM */
    SE_PATCH_Stack_CALLER,           /* that of the task that calls, with SE_PATCH_CALLER_STACK bytes free */
    SE_PATCH_Stack_WIDTH = 0x7FFFFFFF
} SE_PATCH_Stack;

/* Bytes of stack that a call needs at most under SE_PATCH_Stack_CALLER, without the frame of an interrupt. */
#define SE_PATCH_CALLER_STACK 768U

/* Which stack the calls that follow run on, until the next reset; RESERVED when this was never called.  CALLER is for an
 * RTOS that watches its stacks: by a look at the stack pointer (FreeRTOS configCHECK_FOR_STACK_OVERFLOW), PSPLIM or a
 * region of the MPU.  SE_ERROR for another value, which changes nothing. */
SE_ErrorStatus SE_PATCH_SetStack(SE_PATCH_Stack stack);

/* Begins an update.  Touches no flash.  Errors: INVALID_ARG, INVALID_STATE (one is under way: SE_PATCH_Abort first, or
 * called from an interrupt), IMAGE_TOO_LARGE, BUSY, WATCHDOG_WINDOW (IWDG runs with WINR < RLR, or WWDG runs: whether
 * it is fed during the update or not, it would reset the device). */
SE_ErrorStatus SE_PATCH_Init(SE_PATCH_Status *status, const SE_PATCH_StartInfo *info);

/* Takes the next len bytes of a .sfb or .sfbp file, in order and in pieces of any size.  Blocks while flash is erased
 * (some 25 ms a page).  Flash is first touched after signature, product, board, version, size and base were found good.
 * The call that brings the last byte also reads the new image back and hashes it. */
SE_ErrorStatus SE_PATCH_Data(SE_PATCH_Status *status, const uint8_t *data, uint32_t len);

/* Marks a VERIFIED image for installation at the next reset (SE_PATCH_RebootDelay_COMMAND). */
SE_ErrorStatus SE_PATCH_InstallAtNextReset(SE_PATCH_Status *status);

/* Drops the update under way, or the mark of a finished one; stage is IDLE afterwards. */
SE_ErrorStatus SE_PATCH_Abort(SE_PATCH_Status *status);

/* Where the update stands.  Never fails, never waits. */
SE_ErrorStatus SE_PATCH_Poll(SE_PATCH_Status *status);

/* What a code means and what to do, in a sentence; "" for an unknown one.  It is in a buffer of the reserved RAM that
 * the next call of this function overwrites: copy what you keep, and call it from one task only. */
const char *SE_PATCH_GetStatusCodeString(SE_PATCH_StatusCode code);

#define SE_TAG_LEN 32                /* SHA-256 of the image */

typedef struct {
    uint32_t ActiveFwVersion;        /* 8.16.8 bits, see FW_VERSION_* */
    uint32_t ActiveFwSize;           /* bytes of the image */
    uint8_t ActiveFwTag[SE_TAG_LEN];
} SE_APP_ActiveFwInfo;

#define FW_VERSION_MAJOR(v) (((uint32_t)(v) >> 24) & 0xFFU)
#define FW_VERSION_MINOR(v) (((uint32_t)(v) >> 8) & 0xFFFFU)
#define FW_VERSION_PATCH(v) ((uint32_t)(v) & 0xFFU)

/* The image that is running, from the header in front of it. */
SE_ErrorStatus SE_APP_GetActiveFwInfo(SE_StatusTypeDef *status, SE_APP_ActiveFwInfo *info);

/* Keeps the running image: an update that is on trial is given up when the device resets before this call, and the
 * image that was there before comes back.  Call it once the application has found itself well: its self-test has passed,
 * its server has answered.  SE_OK also when nothing is on trial.  SE_KO: flash did not take it (call again), or another
 * task is in the engine. */
SE_ErrorStatus SE_APP_ConfirmActiveFw(SE_StatusTypeDef *status);

typedef enum {
    SE_APP_UpdateState_NONE = 0,     /* there is none: what runs was programmed, or why tells what ended the last one */
    SE_APP_UpdateState_PENDING,      /* installed at the next reset */
    SE_APP_UpdateState_TRIAL,        /* it is what runs, until the next reset: SE_APP_ConfirmActiveFw keeps it */
    SE_APP_UpdateState_INSTALLED,    /* it is what runs, for good */
    SE_APP_UpdateState_REVERTED,     /* given up, the version before runs; why tells the reason */
    SE_APP_UpdateState_WIDTH = 0x7FFFFFFF
} SE_APP_UpdateState;

typedef struct {
    SE_APP_UpdateState state;        /* of the last update that touched flash */
    SE_PATCH_StatusCode why;         /* it was given up: NOT_CONFIRMED ...; it ended: its error; NONE: neither */
    uint32_t version;                /* of that update, 8.16.8 bits; 0 when it was not committed */
} SE_APP_UpdateInfo;

/* How the last update came out.  It is kept in flash until the next one begins.  SE_KO: another task is in the engine. */
SE_ErrorStatus SE_APP_GetUpdateInfo(SE_StatusTypeDef *status, SE_APP_UpdateInfo *info);

/* The bootloader's version as text, as "1.0.0", cut to size bytes including the closing NUL. */
SE_ErrorStatus SE_APP_GetBootVer(SE_StatusTypeDef *status, char *text, uint32_t size);

/* The first len (at most 128) bytes of the user data given to `spboot build`. */
SE_ErrorStatus SE_APP_GetSecureUserData(SE_StatusTypeDef *status, void *data, uint32_t len);

typedef enum {
    SE_APP_Request_NONE = 0,         /* takes an earlier request back */
    SE_APP_Request_LOADER,           /* stay in the loader, as if `load` were typed */
    SE_APP_Request_NO_WINDOW,        /* start the application as soon as it is verified: `load` is not listened for */
    SE_APP_Request_WIDTH = 0x7FFFFFFF
} SE_APP_Request;

/* Sets what the next reset does, once; a power-on forgets it.  The reset itself is up to your code. */
SE_ErrorStatus SE_APP_RequestAtReset(SE_StatusTypeDef *status, SE_APP_Request request);

#ifdef __cplusplus
}
#endif
#endif
