"""NVIC, SysTick, exceptions, and the caches of a Cortex-M7, which are in the same space."""
