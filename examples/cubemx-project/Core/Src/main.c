/* SPDX-License-Identifier: MIT */
/* In the layout of the main.c that STM32CubeMX generates.  HAL_Init(), SystemClock_Config() and MX_..._Init() are what
 * board_start() stands for here; the lines of yours are between USER CODE marks. */
#include "main.h"

/* USER CODE BEGIN Includes */
#include "board.h"
#include "console.h"
#include "update.h"
/* USER CODE END Includes */

int main(void)
{
  board_start();

  /* USER CODE BEGIN 2 */
  console_start();
  update_banner();
  update_confirm();
  /* USER CODE END 2 */

  /* USER CODE BEGIN WHILE */
  while (1)
  {
    int key = console_get(250);
    board_led(console_ms() / 250u & 1u);
    if (key == 'u') update_run();
    if (key == 'r') update_reset();
    /* USER CODE END WHILE */
  }
}
