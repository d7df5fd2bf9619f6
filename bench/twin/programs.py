"""What the twin is measured with: a receiver with interrupts and a task, and a plain loop.  For an STM32L476."""

from __future__ import annotations

from typing import Final

RECEIVER: Final = """
#define SIZE %d
#define ring ((volatile uint8_t *)0x20001000)
#define head (OUT[8])
#define tail (OUT[9])
#define ticks (OUT[10])
void tick(void) { ticks++; }
void irq(void) {
    uint32_t flags = USART2_ISR, enabled = USART2_CR1;
    if (flags & 0xf && enabled & 0x100) USART2_ICR = 0xf;
    if (flags & 0x20 && enabled & 0x20) {
        __asm volatile("msr basepri, %%0; dsb; isb" :: "r"(0x50) : "memory");
        ring[head & 255] = (uint8_t)USART2_RDR;
        head++;
        SCB_ICSR = 1u << 28;
        __asm volatile("msr basepri, %%0" :: "r"(0) : "memory");
    }
}
void pendsv(void) {
    while (tail != head) {
        OUT[1] += ring[tail & 255];
        __asm volatile("cpsid i" ::: "memory");
        tail++;
        __asm volatile("cpsie i" ::: "memory");
    }
    if (tail == SIZE) { OUT[0] = 1; put('.'); }
}
void svc(void) { OUT[2]++; }
void main_(void) {
    OUT[0] = OUT[1] = OUT[2] = 0; head = tail = ticks = 0;
    clock_80mhz(); console(80000000 / 115200);
    SCB_SHPR3 = 0xf0f00000; REG(0xe000e424) = 0x60 << 16;
    USART2_CR1 |= 32; NVIC_ISER1 = 1u << 6;
    SYST_RVR = 79999; SYST_CVR = 0; SYST_CSR = 7;
    uint32_t seen = 0;
    OUT[3] = 1;
    while (!OUT[0]) {
        IDLE
        if (head != seen) { seen = head; __asm volatile("svc 0"); }
    }
}
"""
"""Three exceptions a byte: the interrupt, PendSV that it asks for, and a call of the supervisor by the thread; a tick
each millisecond, and masks around what they share, as an RTOS has them.  OUT[0]: all SIZE bytes came; OUT[1]: their
sum; OUT[3]: ready.  IDLE is what the thread does meanwhile."""

IDLES: Final = {"sleeping": '__asm volatile("wfi");', "spinning": ""}

LOOP: Final = """
void main_(void) {
    __asm volatile("1: adds r0, #1; subs r1, #1; eors r2, r0; b 1b" ::: "r0", "r1", "r2", "cc");
}
"""
"""Four instructions, no memory."""
