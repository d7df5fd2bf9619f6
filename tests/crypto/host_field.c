/* SPDX-License-Identifier: MIT */
/* host_field.c - arithmetic modulo p on operands that signatures never reach.  Reads a letter and two numbers (eight
 * little-endian words each) from standard input, answers each with the result. */
#include "p256.c"

#include <stdio.h>

int main(void)
{
    uint32_t operand[2][8];
    for (int request = getchar(); request != EOF; request = getchar()) {
        if (fread(operand, sizeof operand, 1, stdin) != 1)
            return 2;
        if (request == '+')
            spb_field_add(operand[0], operand[0], operand[1]);
        else if (request == '-')
            spb_field_sub(operand[0], operand[0], operand[1]);
        else
            spb_field_mul(operand[0], operand[0], operand[1]);
        fwrite(operand[0], sizeof operand[0], 1, stdout);
    }
    return 0;
}
