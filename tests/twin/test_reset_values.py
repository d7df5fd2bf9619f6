"""What registers hold after a reset.  The id is the manual's section, of the manual that stands beside the part."""

from __future__ import annotations

import pytest

from .conftest import finish, out, twin_of

RESET_VALUES: dict[str, dict[str, tuple[str, int]]] = {
    "STM32L476RG": {  # RM0351
        "8.4.1-GPIOA_MODER": ("RCC_AHB2ENR = 1; (void)RCC_AHB2ENR; OUT[0] = GPIOA_MODER;", 0xABFFFFFF),
        "6.4.1-RCC_CR": ("OUT[0] = RCC_CR;", 0x63),
        "6.4.29-RCC_CSR-power-on": ("OUT[0] = RCC_CSR;", 0x0C000600),
        "3.7.8-FLASH_OPTR": ("OUT[0] = REG(0x40022020);", 0xFFEFF8AA),
        "48.6.1-DBGMCU_IDCODE": ("OUT[0] = REG(0xe0042000) & 0xfff;", 0x415),
        "49.2-flash-size": ("OUT[0] = REG(0x1fff75e0) & 0xffff;", 1024),
        "CPUID": ("OUT[0] = REG(0xe000ed00);", 0x410FC241),
    },
    "STM32F429ZI": {  # RM0090
        "7.3.1-RCC_CR": ("OUT[0] = RCC_CR;", 0x83),
        "7.3.2-RCC_PLLCFGR": ("OUT[0] = RCC_PLLCFGR;", 0x24003010),
        "7.3.21-RCC_CSR-power-on": ("OUT[0] = RCC_CSR;", 0x0E000000),
        "5.4.1-PWR_CR": ("RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; OUT[0] = PWR_CR;", 0xC000),
        "3.9.7-FLASH_CR": ("OUT[0] = FLASH_CR;", 0x80000000),
        "3.9.8-FLASH_OPTCR": ("OUT[0] = FLASH_OPTCR;", 0x0FFFAAED),
        "8.4.1-GPIOA_MODER": ("RCC_AHB1ENR |= 1; (void)RCC_AHB1ENR; OUT[0] = GPIOA_MODER;", 0xA8000000),
        "30.6.1-USART_SR": ("RCC_APB1ENR = 1u << 18; (void)RCC_APB1ENR; OUT[0] = USART3_SR;", 0xC0),
        "38.6.1-DBGMCU_IDCODE": ("OUT[0] = REG(0xe0042000) & 0xfff;", 0x419),
        "39.2-flash-size": ("OUT[0] = HALF(0x1fff7a22);", 2048),
    },
    "STM32F769NI": {  # RM0410
        "5.3.1-RCC_CR": ("OUT[0] = RCC_CR;", 0x83),
        "4.4.1-PWR_CR1": ("RCC_APB1ENR = 1u << 28; (void)RCC_APB1ENR; OUT[0] = PWR_CR1;", 0xC000),
        "3.7.5-FLASH_CR": ("OUT[0] = FLASH_CR;", 0x80000000),
        "3.7.6-FLASH_OPTCR": ("OUT[0] = FLASH_OPTCR;", 0xFFFFAAFD),
        "6.4.1-GPIOA_MODER": ("RCC_AHB1ENR |= 1; (void)RCC_AHB1ENR; OUT[0] = GPIOA_MODER;", 0xA8000000),
        "2.2-ITCM-side": ("OUT[0] = REG(0x00200000) == REG(0x08000000);", 1),
        "2.2.2-vectors": ("OUT[0] = SCB_VTOR;", 0x00200000),
        "40.6.1-DBGMCU_IDCODE": ("OUT[0] = REG(0xe0042000) & 0xfff;", 0x451),
        "CPUID": ("OUT[0] = REG(0xe000ed00) >> 4 & 0xfff;", 0xC27),
        "41.2-flash-size": ("OUT[0] = HALF(0x1ff0f442);", 2048),
    },
    "STM32H745XI": {  # RM0399
        "9.7.1-RCC_CR": ("OUT[0] = RCC_CR;", 0xC005),
        "9.7.9-RCC_PLLCKSELR": ("OUT[0] = RCC_PLLCKSELR;", 0x02020200),
        "9.7.39-RCC_RSR-power-on": ("OUT[0] = RCC_RSR;", 0x00FA0000),
        "7.8.7-PWR_D3CR": ("OUT[0] = PWR_D3CR;", 0x6000),
        "4.9.1-FLASH_ACR": ("OUT[0] = FLASH_ACR;", 0x37),
        "4.9.4-FLASH_CR2": ("OUT[0] = FLASH_CR2;", 0x31),
        "12.4.1-GPIOA_MODER": ("RCC_AHB4ENR |= 1; (void)RCC_AHB4ENR; OUT[0] = GPIOA_MODER;", 0xABFFFFFF),
        "2.3-vectors": ("OUT[0] = SCB_VTOR;", 0x08000000),
        "CPUID": ("OUT[0] = REG(0xe000ed00) >> 4 & 0xfff;", 0xC27),
        "DBGMCU_IDC": ("OUT[0] = REG(0x5c001000);", 0x20030450),
        "65.2-flash-size": ("OUT[0] = HALF(0x1ff1e880);", 2048),
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "code", "value"),
    [
        pytest.param(part, *entry, id=f"{part}-{name}")
        for part, values in RESET_VALUES.items()
        for name, entry in values.items()
    ],
)
def test_reset_values(part: str, code: str, value: int) -> None:
    twin = twin_of(f"void main_(void) {{ {code} }}", part)
    finish(twin)
    assert out(twin) == value
