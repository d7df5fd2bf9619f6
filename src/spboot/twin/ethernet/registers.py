"""Registers of the Ethernet MAC of STM32F4, which the facts do not have."""

from __future__ import annotations

from typing import Final

MAC: Final[dict[str, tuple[int, dict[str, tuple[int, int]]]]] = {
    "MACCR": (0x00, {"RE": (2, 1), "TE": (3, 1), "DC": (4, 1), "BL": (5, 2), "APCS": (7, 1), "RD": (9, 1),
                     "IPCO": (10, 1), "DM": (11, 1), "LM": (12, 1), "ROD": (13, 1), "FES": (14, 1), "CSD": (16, 1),
                     "IFG": (17, 3), "JD": (22, 1), "WD": (23, 1), "CSTF": (25, 1)}),
    "MACFFR": (0x04, {"PM": (0, 1), "HU": (1, 1), "HM": (2, 1), "DAIF": (3, 1), "PAM": (4, 1), "BFD": (5, 1),
                      "PCF": (6, 2), "SAIF": (8, 1), "SAF": (9, 1), "HPF": (10, 1), "RA": (31, 1)}),
    "MACHTHR": (0x08, {"HTH": (0, 32)}),
    "MACHTLR": (0x0C, {"HTL": (0, 32)}),
    "MACMIIAR": (0x10, {"MB": (0, 1), "MW": (1, 1), "CR": (2, 3), "MR": (6, 5), "PA": (11, 5)}),
    "MACMIIDR": (0x14, {"MD": (0, 16)}),
    "MACFCR": (0x18, {"FCB": (0, 1), "TFCE": (1, 1), "RFCE": (2, 1), "UPFD": (3, 1), "PLT": (4, 2), "ZQPD": (7, 1),
                      "PT": (16, 16)}),
    "MACVLANTR": (0x1C, {"VLANTI": (0, 16), "VLANTC": (16, 1)}),
    "MACRWUFFR": (0x28, {"WUFFR": (0, 32)}),
    "MACPMTCSR": (0x2C, {"PD": (0, 1), "MPE": (1, 1), "WFE": (2, 1), "MPR": (5, 1), "WFR": (6, 1), "GU": (9, 1),
                         "WFFRPR": (31, 1)}),
    "MACDBGR": (0x34, {"MACDBG": (0, 32)}),
    "MACSR": (0x38, {"PMTS": (3, 1), "MMCS": (4, 1), "MMCRS": (5, 1), "MMCTS": (6, 1), "TSTS": (9, 1)}),
    "MACIMR": (0x3C, {"PMTIM": (3, 1), "TSTIM": (9, 1)}),
    **{f"MACA{n}HR": (0x40 + 8 * n, {"MACAH": (0, 16), "MBC": (24, 6), "SA": (30, 1), "AE": (31, 1)})
       for n in range(4)},
    **{f"MACA{n}LR": (0x44 + 8 * n, {"MACAL": (0, 32)}) for n in range(4)},
    "MMCCR": (0x100, {"CR": (0, 1), "CSR": (1, 1), "ROR": (2, 1), "MCF": (3, 1), "MCP": (4, 1), "MCFHP": (5, 1)}),
    "MMCRIR": (0x104, {}), "MMCTIR": (0x108, {}), "MMCRIMR": (0x10C, {}), "MMCTIMR": (0x110, {}),
    "MMCTGFSCCR": (0x14C, {}), "MMCTGFMSCCR": (0x150, {}), "MMCTGFCR": (0x168, {}), "MMCRFCECR": (0x194, {}),
    "MMCRFAECR": (0x198, {}), "MMCRGUFCR": (0x1C4, {}),
    "PTPTSCR": (0x700, {}), "PTPSSIR": (0x704, {}), "PTPTSHR": (0x708, {}), "PTPTSLR": (0x70C, {}),
    "PTPTSHUR": (0x710, {}), "PTPTSLUR": (0x714, {}), "PTPTSAR": (0x718, {}), "PTPTTHR": (0x71C, {}),
    "PTPTTLR": (0x720, {}), "PTPTSSR": (0x728, {}), "PTPPPSCR": (0x72C, {}),
}  # fmt: skip
"""Register -> offset and fields (RM0090 33.8)."""
DMA: Final[dict[str, tuple[int, dict[str, tuple[int, int]]]]] = {
    "DMABMR": (0x1000, {"SR": (0, 1), "DA": (1, 1), "DSL": (2, 5), "EDFE": (7, 1), "PBL": (8, 6), "PM": (14, 2),
                        "FB": (16, 1), "RDP": (17, 6), "USP": (23, 1), "FPM": (24, 1), "AAB": (25, 1), "MB": (26, 1)}),
    "DMATPDR": (0x1004, {"TPD": (0, 32)}),
    "DMARPDR": (0x1008, {"RPD": (0, 32)}),
    "DMARDLAR": (0x100C, {"SRL": (0, 32)}),
    "DMATDLAR": (0x1010, {"STL": (0, 32)}),
    "DMASR": (0x1014, {"TS": (0, 1), "TPSS": (1, 1), "TBUS": (2, 1), "TJTS": (3, 1), "ROS": (4, 1), "TUS": (5, 1),
                       "RS": (6, 1), "RBUS": (7, 1), "RPSS": (8, 1), "RWTS": (9, 1), "ETS": (10, 1), "FBES": (13, 1),
                       "ERS": (14, 1), "AIS": (15, 1), "NIS": (16, 1), "RPS": (17, 3), "TPS": (20, 3), "EBS": (23, 3),
                       "MMCS": (27, 1), "PMTS": (28, 1), "TSTS": (29, 1)}),
    "DMAOMR": (0x1018, {"SR": (1, 1), "OSF": (2, 1), "RTC": (3, 2), "FUGF": (6, 1), "FEF": (7, 1), "ST": (13, 1),
                        "TTC": (14, 3), "FTF": (20, 1), "TSF": (21, 1), "DFRF": (24, 1), "RSF": (25, 1),
                        "DTCEFD": (26, 1)}),
    "DMAIER": (0x101C, {"TIE": (0, 1), "TPSIE": (1, 1), "TBUIE": (2, 1), "TJTIE": (3, 1), "ROIE": (4, 1),
                        "TUIE": (5, 1), "RIE": (6, 1), "RBUIE": (7, 1), "RPSIE": (8, 1), "RWTIE": (9, 1),
                        "ETIE": (10, 1), "FBEIE": (13, 1), "ERIE": (14, 1), "AISE": (15, 1), "NISE": (16, 1)}),
    "DMAMFBOCR": (0x1020, {"MFC": (0, 16), "OMFC": (16, 1), "MFA": (17, 11), "OFOC": (28, 1)}),
    "DMARSWTR": (0x1024, {"RSWTC": (0, 8)}),
    "DMACHTDR": (0x1048, {"HTDAP": (0, 32)}),
    "DMACHRDR": (0x104C, {"HRDAP": (0, 32)}),
    "DMACHTBAR": (0x1050, {"HTBAP": (0, 32)}),
    "DMACHRBAR": (0x1054, {"HRBAP": (0, 32)}),
}  # fmt: skip
"""Those of the DMA (RM0090 33.8.4)."""
