"""What the rows share whose money is no redemption: what was approved is paid by a batch of two people."""

from __future__ import annotations

from collections.abc import Collection

from lxml import etree

from services.cli.call import PAGE, listed
from services.cli.demo.journey import Journey, expect
from services.cli.demo.rows import ground
from services.cli.output import money


def paid(journey: Journey, payee: str, subjects: Collection[str]) -> str:
    """Pays what was approved for `subjects`, all that waits for this payee, and finds it in the bank file;
    returns the sum, such as `14000.00 EUR`."""
    finance = journey.person("finance", "Karim")
    waiting = listed(finance, "payables", PAGE, organisation=payee, state="STATE_WAITING")
    expect({each["subject"] for each in waiting} == set(subjects), f"{len(waiting)} amounts wait for {payee}")
    batch = ground.pay(journey, "KIND_PAYABLES")
    payment = ground.payment(batch, payee)
    expect(payment["payableCount"] == len(subjects), f"{payment['payableCount']} of them are paid")
    for each in waiting:
        now = finance.rest("GET", f"/v1/{each['name']}")
        told = (now["state"], now.get("payoutBatch"))
        expect(told == ("STATE_PAID", batch["name"]), f"{each['subject']} is {told[0]}")
    file = finance.rest_bytes("GET", f"/v1/{batch['name']}:bankFile")
    sums = {
        transfer.findtext("{*}PmtId/{*}EndToEndId"): transfer.findtext("{*}Amt/{*}InstdAmt")
        for transfer in etree.fromstring(file).iter("{*}CdtTrfTxInf")
    }
    total = money(payment["amount"])
    expect(sums.get(payment["endToEndId"]) == total.split()[0], "the bank file has another sum")
    return total
