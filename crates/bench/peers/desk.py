"""`desk.py set-up SENDS FIRST COUNT` fills an empty database, with contacts for a campaign; `desk.py kept SENDS` tells
what is in it; `desk.py doubt` tells to whom a send stands in doubt. Answers are one line of JSON."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db.models import Sum
from django.test import Client
from django_meta_whatsapp.models import (
    WhatsAppAccount,
    WhatsAppAPIKey,
    WhatsAppCampaign,
    WhatsAppCampaignRecipient,
    WhatsAppContact,
    WhatsAppConversation,
    WhatsAppMessage,
    WhatsAppTemplate,
)


def set_up(sends, bulk):
    """`sends` messages just accepted; `bulk` contacts and a campaign for them; who may sign in and send."""
    call_command("migrate", verbosity=0)
    account = WhatsAppAccount.objects.create(
        name="Main",
        access_token=os.environ["PEER_TOKEN"],
        phone_number_id=os.environ["PEER_NUMBER"],
        waba_id=os.environ["PEER_ACCOUNT"],
    )
    WhatsAppMessage.objects.bulk_create(
        (
            WhatsAppMessage(
                account=account,
                phone_number=f"3519{10_000_000 + send % 20_000}",
                message_id=f"wamid.out-{send}",
                message_type="template",
                message_body="Hello, how are you?",
                direction="outbound",
                status="sent",
            )
            for send in range(sends)
        ),
        batch_size=500,
    )
    WhatsAppContact.objects.bulk_create(
        (WhatsAppContact(phone=f"+{phone}") for phone in bulk), batch_size=500
    )
    template = WhatsAppTemplate.objects.create(
        account=account, name="offer", language="en", status="APPROVED", body_text="Hello."
    )
    campaign = WhatsAppCampaign.objects.create(account=account, name="Offer", template=template)
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("ana", password="none"))
    key = WhatsAppAPIKey.objects.create(name="bench", key="bench-key")
    return {
        "session": client.cookies["sessionid"].value,
        "key": key.key,
        "campaign": campaign.pk,
    }


def kept(sends):
    """What is kept of the first `sends` messages and the answers to them."""
    outbound = WhatsAppMessage.objects.filter(direction="outbound").order_by("id")
    first = outbound.filter(id__lt=outbound.first().id + sends)
    answers = WhatsAppMessage.objects.filter(direction="inbound")
    unread = WhatsAppConversation.objects.aggregate(sum=Sum("unread_count"))["sum"]
    return {
        "answers": answers.count(),
        "distinct_answers": answers.values("message_id").distinct().count(),
        "behind": first.exclude(status="read").count(),
        "unread": unread or 0,
    }


def doubt():
    """Recipients whose send the campaign shows as neither sent nor failed."""
    recipients = WhatsAppCampaignRecipient.objects.exclude(status__in=("sent", "failed"))
    return list(recipients.values_list("phone_number", flat=True))


match sys.argv[1:]:
    case ["set-up", sends, first, count]:
        bulk = range(int(first), int(first) + int(count))
        print(json.dumps(set_up(int(sends), bulk)))
    case ["kept", sends]:
        print(json.dumps(kept(int(sends))))
    case ["doubt"]:
        print(json.dumps(doubt()))
