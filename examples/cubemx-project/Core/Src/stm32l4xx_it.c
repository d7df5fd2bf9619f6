/* SPDX-License-Identifier: MIT */
/* In the layout of the file of interrupt handlers that STM32CubeMX generates. */
#include "main.h"

/* USER CODE BEGIN Includes */
#include "console.h"
/* USER CODE END Includes */

void SysTick_Handler(void)
{
  /* USER CODE BEGIN SysTick_IRQn 0 */
  console_tick();
  /* USER CODE END SysTick_IRQn 0 */
}

void USART2_IRQHandler(void)
{
  /* USER CODE BEGIN USART2_IRQn 0 */
  console_interrupt();
  /* USER CODE END USART2_IRQn 0 */
}
