/* SPDX-License-Identifier: MIT */
/* With the names of the start-up file that STM32CubeMX copies, and the two interrupts that the example uses. */
  .syntax unified
  .cpu cortex-m4
  .thumb

  .section .text.Reset_Handler
  .global Reset_Handler
  .type Reset_Handler, %function
Reset_Handler:
  ldr r0, =_sdata
  ldr r1, =_edata
  ldr r2, =_sidata
1:
  cmp r0, r1
  bcs 2f
  ldr r3, [r2], #4
  str r3, [r0], #4
  b 1b
2:
  ldr r0, =_sbss
  ldr r1, =_ebss
  movs r3, #0
3:
  cmp r0, r1
  bcs 4f
  str r3, [r0], #4
  b 3b
4:
  bl main
5:
  b 5b
  .size Reset_Handler, . - Reset_Handler

  .section .text.Default_Handler
  .type Default_Handler, %function
Default_Handler:
  b Default_Handler
  .size Default_Handler, . - Default_Handler

  .section .isr_vector, "a", %progbits
  .global g_pfnVectors
  .type g_pfnVectors, %object
g_pfnVectors:
  .word _estack
  .word Reset_Handler
  .rept 5                       /* NMI, HardFault, MemManage, BusFault, UsageFault */
  .word Default_Handler
  .endr
  .rept 4
  .word 0
  .endr
  .rept 2                       /* SVC, DebugMon */
  .word Default_Handler
  .endr
  .word 0
  .word Default_Handler         /* PendSV */
  .word SysTick_Handler
  .rept 38
  .word Default_Handler
  .endr
  .word USART2_IRQHandler
  .rept 43
  .word Default_Handler
  .endr
  .size g_pfnVectors, . - g_pfnVectors
