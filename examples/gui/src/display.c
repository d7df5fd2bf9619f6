/* SPDX-License-Identifier: MIT */
/* display.c - layer 1 of LTDC, a panel of 320 x 240 at 60 Hz (RM0090 chapter 16).  The pixels of this board leave by DSI,
 * which a product starts in front of this: clock, host and panel (chapter 21); the twin shows what LTDC has. */
#include "display.h"

#include "board.h"

#define RCC_CR REG(RCC + 0x00u)
#define RCC_APB2ENR REG(RCC + 0x44u)
#define RCC_PLLSAICFGR REG(RCC + 0x88u)
#define RCC_DCKCFGR REG(RCC + 0x8Cu)
#define SAION (1u << 28)
#define SAIRDY (1u << 29)

#define LTDC(offset) REG(0x40016800u + (offset))
#define LAYER(offset) LTDC(0x80u + (offset))
#define PAIR(x, y) ((x) << 16 | (y))
#define LEFT 30u        /* synchronisation and back porch: 10 and 20 pixels, 2 and 2 lines */
#define TOP 4u
#define TOTAL_WIDTH 384u
#define TOTAL_HEIGHT 260u       /* 6 MHz / 384 / 260: 60 frames a second */
#define RGB565 2u
#define LINE (2u * DISPLAY_WIDTH)

uint16_t display_pixels[DISPLAY_HEIGHT][DISPLAY_WIDTH];

/* PLLM is 16 as after a reset: 1 MHz of HSI times 192, divided by 4 and by 8. */
static void clock(void) {
    RCC_PLLSAICFGR = 4u << 28 | 4u << 24 | 192u << 6;
    RCC_DCKCFGR = (RCC_DCKCFGR & ~(3u << 16)) | 2u << 16;
    RCC_CR |= SAION;
    while ((RCC_CR & SAIRDY) == 0) {}
    RCC_APB2ENR |= 1u << 26;
    (void)RCC_APB2ENR;
}

void display_start(void) {
    clock();
    LTDC(0x08u) = PAIR(9u, 1u);                                                 /* SSCR */
    LTDC(0x0Cu) = PAIR(LEFT - 1u, TOP - 1u);                                    /* BPCR */
    LTDC(0x10u) = PAIR(LEFT + DISPLAY_WIDTH - 1u, TOP + DISPLAY_HEIGHT - 1u);   /* AWCR */
    LTDC(0x14u) = PAIR(TOTAL_WIDTH - 1u, TOTAL_HEIGHT - 1u);                    /* TWCR */
    LTDC(0x2Cu) = 0;                                                            /* BCCR: black below the layer */
    LAYER(0x08u) = PAIR(LEFT + DISPLAY_WIDTH - 1u, LEFT);                       /* WHPCR: last and first pixel */
    LAYER(0x0Cu) = PAIR(TOP + DISPLAY_HEIGHT - 1u, TOP);                        /* WVPCR */
    LAYER(0x14u) = RGB565;                                                      /* PFCR */
    LAYER(0x2Cu) = (uint32_t)display_pixels;                                    /* CFBAR */
    LAYER(0x30u) = PAIR(LINE, LINE + 3u);                                       /* CFBLR */
    LAYER(0x34u) = DISPLAY_HEIGHT;                                              /* CFBLNR */
    LAYER(0x04u) = 1u;                                                          /* CR */
    LTDC(0x24u) = 1u;                                                           /* SRCR: reload at once */
    LTDC(0x18u) |= 1u;                                                          /* GCR: LTDCEN */
}
