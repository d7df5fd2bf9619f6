/* SPDX-License-Identifier: MIT */
#ifndef MAIN_H
#define MAIN_H

void SysTick_Handler(void);
void USART2_IRQHandler(void);

#endif
