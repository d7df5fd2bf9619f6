/* common.h - what every core has, and where a test looks for results. */
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT32_TYPE__ uint32_t;
#define REG(address) (*(volatile uint32_t *)(address))
#define HALF(address) (*(volatile __UINT16_TYPE__ *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))
#define SYST_CSR REG(0xe000e010)
#define SYST_RVR REG(0xe000e014)
#define SYST_CVR REG(0xe000e018)
#define NVIC_ISER1 REG(0xe000e104)
#define SCB_ICSR REG(0xe000ed04)
#define SCB_VTOR REG(0xe000ed08)
#define SCB_AIRCR REG(0xe000ed0c)
#define SCB_SHPR3 REG(0xe000ed20)
#define SCB_SHCSR REG(0xe000ed24)
#define SCB_CFSR REG(0xe000ed28)
#define SCB_BFAR REG(0xe000ed38)
#define SCB_CPACR REG(0xe000ed88)
#define DWT_CTRL REG(0xe0001000)
#define DWT_CYCCNT REG(0xe0001004)

#define OUT ((volatile uint32_t *)0x20000100) /* where a test looks for results */
#define DONE (*(volatile uint32_t *)0x200000f0)

/* Copies the 512 bytes from *function* on to RAM and calls the copy: it must not call another function. */
__attribute__((unused)) static void in_ram(void (*function)(void))
{
    volatile uint32_t *to = (volatile uint32_t *)0x20001000;
    for (uint32_t i = 0; i < 128; i++)
        to[i] = REG(((uint32_t)function & ~1u) + 4 * i);
    __asm volatile("dsb\n\tisb" ::: "memory");
    ((void (*)(void))0x20001001)();
}
