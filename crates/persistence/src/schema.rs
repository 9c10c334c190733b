//! The tables as both databases hold them.

diesel::table! {
    workspace (id) {
        id -> BigInt,
        name -> Text,
        time_zone -> Text,
        language -> Text,
        clock_confirmations -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    data_keys (id) {
        id -> BigInt,
        key_id -> Text,
        wrapped -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    policies (id) {
        id -> BigInt,
        profile -> Text,
        version -> BigInt,
        body -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        email -> Text,
        name -> Text,
        password_hash -> Text,
        language -> Nullable<Text>,
        time_zone -> Nullable<Text>,
        status -> Text,
        max_tickets -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    workspace_permissions (user_id, permission) {
        user_id -> BigInt,
        permission -> Text,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        token_hash -> Binary,
        user_id -> BigInt,
        form_token -> Text,
        user_agent -> Text,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> BigInt,
        token_hash -> Binary,
        user_id -> BigInt,
        name -> Text,
        scopes -> Text,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    chatbots (id) {
        id -> BigInt,
        name -> Text,
        time_zone -> Text,
        active_messages_enabled -> Bool,
        cap_enabled -> Bool,
        cap_sends -> BigInt,
        cap_scope -> Text,
        direct_transfer -> Bool,
        distribution -> Text,
        release_after_minutes -> Nullable<BigInt>,
        all_day_service -> Bool,
        quiet_hours_enabled -> Bool,
        risk_alert_minutes -> BigInt,
        read_marks -> Bool,
        settings_changed_at -> Nullable<BigInt>,
        settings_changed_by -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    quiet_hours_frames (id) {
        id -> BigInt,
        chatbot_id -> BigInt,
        weekday -> BigInt,
        opens_minute -> BigInt,
        closes_minute -> BigInt,
    }
}

diesel::table! {
    memberships (id) {
        id -> BigInt,
        user_id -> BigInt,
        chatbot_id -> BigInt,
        role -> Text,
        absent_since -> Nullable<BigInt>,
    }
}

diesel::table! {
    membership_permissions (membership_id, permission) {
        membership_id -> BigInt,
        permission -> Text,
    }
}

diesel::table! {
    presences (user_id) {
        user_id -> BigInt,
        presence -> Text,
        since -> BigInt,
        last_seen_at -> BigInt,
        streaming -> Bool,
        stream_lost_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    queues (id) {
        id -> BigInt,
        chatbot_id -> BigInt,
        name -> Text,
        position -> BigInt,
    }
}

diesel::table! {
    queue_agents (queue_id, user_id) {
        queue_id -> BigInt,
        user_id -> BigInt,
    }
}

diesel::table! {
    channels (id) {
        id -> BigInt,
        chatbot_id -> BigInt,
        kind -> Text,
        name -> Text,
        external_id -> Text,
        account_id -> Text,
        api_base_url -> Text,
        access_token -> Binary,
        app_secret -> Binary,
        verify_token -> Binary,
        connected -> Bool,
        credentials_failing_since -> Nullable<BigInt>,
        calls_rest_until -> Nullable<BigInt>,
        webhook_verified_at -> Nullable<BigInt>,
        last_webhook_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    numbers (id) {
        id -> BigInt,
        channel_id -> BigInt,
        phone -> Text,
        policy_id -> BigInt,
        level -> BigInt,
        level_entered_at -> BigInt,
        rating -> Text,
        rating_since -> BigInt,
        standing -> Text,
        low_since -> Nullable<BigInt>,
        not_low_since -> Nullable<BigInt>,
        platform_status -> Text,
        platform_restricted_until -> Nullable<BigInt>,
        platform_rating -> Nullable<Text>,
        platform_limit -> Nullable<BigInt>,
        platform_limit_at -> Nullable<BigInt>,
        platform_read_at -> Nullable<BigInt>,
        throughput -> BigInt,
        throughput_at -> Nullable<BigInt>,
        paused_since -> Nullable<BigInt>,
        paused_until -> Nullable<BigInt>,
        pause_code -> Nullable<Text>,
        templates_paused_since -> Nullable<BigInt>,
        templates_paused_until -> Nullable<BigInt>,
        templates_pause_code -> Nullable<Text>,
        slow_until -> Nullable<BigInt>,
        counted_day -> BigInt,
        day_expired_through -> BigInt,
        counted_week -> BigInt,
        week_expired_through -> BigInt,
        lock_version -> BigInt,
    }
}

diesel::table! {
    number_statements (number_id, kind) {
        number_id -> BigInt,
        kind -> Text,
        detail -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    number_restrictions (number_id, kind) {
        number_id -> BigInt,
        kind -> Text,
        until -> Nullable<BigInt>,
        remediation -> Nullable<Text>,
        at -> BigInt,
        lifted_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    number_events (id) {
        id -> BigInt,
        number_id -> BigInt,
        at -> BigInt,
        kind -> Text,
        detail -> Text,
    }
}

diesel::table! {
    contacts (id) {
        id -> BigInt,
        name -> Text,
        phone -> Nullable<Text>,
        language -> Nullable<Text>,
        time_zone -> Nullable<Text>,
        responsible_agent_id -> Nullable<BigInt>,
        marketing_opt_in_at -> Nullable<BigInt>,
        marketing_opt_in_source -> Nullable<Text>,
        tags -> Text,
        created_at -> BigInt,
        lock_version -> BigInt,
    }
}

diesel::table! {
    contact_words (word, contact_id) {
        word -> Text,
        contact_id -> BigInt,
    }
}

diesel::table! {
    contact_identities (id) {
        id -> BigInt,
        contact_id -> BigInt,
        kind -> Text,
        scope -> Text,
        value -> Text,
        reachable -> Text,
        reachable_at -> Nullable<BigInt>,
        left_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    contact_events (id) {
        id -> BigInt,
        contact_id -> BigInt,
        at -> BigInt,
        kind -> Text,
        detail -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    chatbot_contacts (chatbot_id, contact_id) {
        chatbot_id -> BigInt,
        contact_id -> BigInt,
        first_contact_at -> BigInt,
        last_agent_id -> Nullable<BigInt>,
        last_channel_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    opt_outs (id) {
        id -> BigInt,
        contact_id -> BigInt,
        scope -> Text,
        source -> Text,
        at -> BigInt,
        lifted_at -> Nullable<BigInt>,
        lifted_source -> Nullable<Text>,
        lifted_reason -> Nullable<Text>,
    }
}

diesel::table! {
    session_windows (channel_id, contact_id) {
        channel_id -> BigInt,
        contact_id -> BigInt,
        last_inbound_at -> BigInt,
    }
}

diesel::table! {
    message_templates (id) {
        id -> BigInt,
        account_id -> Text,
        external_id -> Text,
        name -> Text,
        language -> Text,
        category -> Text,
        status -> Text,
        paused_until -> Nullable<BigInt>,
        parameter_format -> Text,
        components -> Text,
        quality -> Nullable<Text>,
        synced_at -> BigInt,
        gone_at -> Nullable<BigInt>,
        status_changed_at -> Nullable<BigInt>,
        quality_changed_at -> Nullable<BigInt>,
        category_changed_at -> Nullable<BigInt>,
        components_changed_at -> Nullable<BigInt>,
        upcoming_category -> Nullable<Text>,
        upcoming_category_from -> Nullable<BigInt>,
    }
}

diesel::table! {
    tickets (id) {
        id -> BigInt,
        protocol -> Text,
        chatbot_id -> BigInt,
        contact_id -> BigInt,
        channel_id -> BigInt,
        queue_id -> Nullable<BigInt>,
        agent_id -> Nullable<BigInt>,
        only_agent_id -> Nullable<BigInt>,
        state -> Text,
        opened_at -> BigInt,
        assigned_at -> Nullable<BigInt>,
        closed_at -> Nullable<BigInt>,
        closed_by -> Nullable<BigInt>,
        last_message_at -> BigInt,
        unread -> BigInt,
    }
}

diesel::table! {
    messages (id) {
        id -> BigInt,
        chatbot_id -> BigInt,
        channel_id -> BigInt,
        contact_id -> BigInt,
        ticket_id -> Nullable<BigInt>,
        agent_id -> Nullable<BigInt>,
        direction -> Text,
        kind -> Text,
        body -> Text,
        folded -> Text,
        payload -> Text,
        provider_id -> Nullable<Text>,
        quoted_provider_id -> Nullable<Text>,
        callback_id -> Nullable<Text>,
        state -> Text,
        failure_code -> Nullable<Text>,
        failure_title -> Nullable<Text>,
        occurred_at -> BigInt,
        created_at -> BigInt,
        edited_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    message_changes (id) {
        id -> BigInt,
        channel_id -> BigInt,
        provider_id -> Text,
        change_id -> Text,
        message_id -> Nullable<BigInt>,
        kind -> Text,
        message_kind -> Text,
        body -> Text,
        payload -> Text,
        at -> BigInt,
        received_at -> BigInt,
    }
}

diesel::table! {
    reactions (channel_id, provider_id, side) {
        channel_id -> BigInt,
        provider_id -> Text,
        side -> Text,
        agent_id -> Nullable<BigInt>,
        emoji -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    outbox (message_id) {
        message_id -> BigInt,
        channel_id -> BigInt,
        contact_id -> BigInt,
        state -> Text,
        due_at -> BigInt,
        attempts -> BigInt,
        lease_token -> Nullable<Text>,
        lease_fence -> BigInt,
        lease_until -> Nullable<BigInt>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    dispatchers (owner) {
        owner -> Text,
        seen_at -> BigInt,
    }
}

diesel::table! {
    signals (channel_id, contact_id, kind) {
        channel_id -> BigInt,
        contact_id -> BigInt,
        kind -> Text,
        provider_id -> Text,
        requested_at -> BigInt,
        taken_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    attempts (id) {
        id -> BigInt,
        message_id -> BigInt,
        fence -> BigInt,
        started_at -> BigInt,
        finished_at -> Nullable<BigInt>,
        outcome -> Nullable<Text>,
        code -> Nullable<Text>,
        detail -> Nullable<Text>,
    }
}

diesel::table! {
    delivery_events (id) {
        id -> BigInt,
        message_id -> BigInt,
        kind -> Text,
        at -> BigInt,
        source -> Text,
        code -> Nullable<Text>,
        title -> Nullable<Text>,
        pricing -> Nullable<Text>,
        received_at -> BigInt,
    }
}

diesel::table! {
    early_receipts (id) {
        id -> BigInt,
        channel_id -> BigInt,
        provider_id -> Text,
        callback_id -> Nullable<Text>,
        kind -> Text,
        at -> BigInt,
        code -> Nullable<Text>,
        title -> Nullable<Text>,
        class -> Nullable<Text>,
        pricing -> Nullable<Text>,
        received_at -> BigInt,
    }
}

diesel::table! {
    active_messages (message_id) {
        message_id -> BigInt,
        chatbot_id -> BigInt,
        number_id -> BigInt,
        contact_id -> BigInt,
        agent_id -> Nullable<BigInt>,
        token_id -> Nullable<BigInt>,
        template_id -> BigInt,
        variables -> Text,
        door -> Text,
        decision_id -> BigInt,
        state -> Text,
        notification -> Bool,
        queued_at -> BigInt,
        accepted_at -> Nullable<BigInt>,
        replied_at -> Nullable<BigInt>,
        given_back_at -> Nullable<BigInt>,
        expires_at -> BigInt,
        expired_at -> Nullable<BigInt>,
        listed_until -> BigInt,
        counted_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    recipient_window (number_id, contact_id) {
        number_id -> BigInt,
        contact_id -> BigInt,
        counted_at -> BigInt,
    }
}

diesel::table! {
    decisions (id) {
        id -> BigInt,
        at -> BigInt,
        chatbot_id -> BigInt,
        contact_id -> Nullable<BigInt>,
        agent_id -> Nullable<BigInt>,
        number_id -> Nullable<BigInt>,
        policy_id -> BigInt,
        door -> Text,
        allowed -> Bool,
        codes -> Text,
        until -> Nullable<BigInt>,
        facts -> Text,
    }
}

diesel::table! {
    idempotency_keys (owner, idempotency_key) {
        owner -> Text,
        idempotency_key -> Text,
        body_hash -> Text,
        result -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    webhook_inbox (id) {
        id -> BigInt,
        channel_id -> BigInt,
        received_at -> BigInt,
        body -> Binary,
        done_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    seen_changes (channel_id, hash) {
        channel_id -> BigInt,
        hash -> Text,
        seen_at -> BigInt,
    }
}

diesel::table! {
    kept_events (kind) {
        kind -> Text,
        known -> Bool,
        seen -> BigInt,
        first_seen_at -> BigInt,
        last_seen_at -> BigInt,
        channel_id -> BigInt,
        latest -> Text,
    }
}

diesel::table! {
    quarantined_events (id) {
        id -> BigInt,
        inbox_id -> BigInt,
        channel_id -> BigInt,
        element -> Text,
        error -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    jobs (name) {
        name -> Text,
        schedule -> Text,
        time_zone -> Text,
        next_run_at -> Nullable<BigInt>,
        run_requested_at -> Nullable<BigInt>,
        passed_over_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    job_leases (name) {
        name -> Text,
        owner -> Text,
        fence -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    job_runs (id) {
        id -> BigInt,
        job -> Text,
        scheduled_for -> BigInt,
        owner -> Text,
        fence -> BigInt,
        started_at -> BigInt,
        finished_at -> Nullable<BigInt>,
        rows_touched -> Nullable<BigInt>,
        error -> Nullable<Text>,
    }
}

diesel::table! {
    media_previews (id) {
        id -> Text,
        owner_id -> BigInt,
        url -> Text,
        kind -> Text,
        content_type -> Text,
        name -> Text,
        size -> BigInt,
        bytes -> Nullable<Binary>,
        created_at -> BigInt,
    }
}

diesel::table! {
    media (id) {
        id -> Text,
        channel_id -> BigInt,
        message_id -> Nullable<BigInt>,
        uploaded_by -> Nullable<BigInt>,
        kind -> Text,
        name -> Nullable<Text>,
        told_type -> Nullable<Text>,
        told_sha256 -> Nullable<Text>,
        platform_id -> Nullable<Text>,
        platform_until -> Nullable<BigInt>,
        link -> Nullable<Text>,
        state -> Text,
        reason -> Nullable<Text>,
        content_type -> Nullable<Text>,
        size -> Nullable<BigInt>,
        width -> Nullable<BigInt>,
        height -> Nullable<BigInt>,
        small -> Nullable<Binary>,
        take -> BigInt,
        attempts -> BigInt,
        due_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    media_chunks (media_id, take, part) {
        media_id -> Text,
        take -> BigInt,
        part -> BigInt,
        bytes -> Binary,
    }
}

diesel::table! {
    searches (id) {
        id -> Text,
        owner_id -> BigInt,
        typed -> Text,
        used_at -> BigInt,
    }
}

diesel::joinable!(workspace_permissions -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(api_tokens -> users (user_id));
diesel::joinable!(chatbots -> users (settings_changed_by));
diesel::joinable!(quiet_hours_frames -> chatbots (chatbot_id));
diesel::joinable!(memberships -> users (user_id));
diesel::joinable!(memberships -> chatbots (chatbot_id));
diesel::joinable!(membership_permissions -> memberships (membership_id));
diesel::joinable!(presences -> users (user_id));
diesel::joinable!(queues -> chatbots (chatbot_id));
diesel::joinable!(queue_agents -> queues (queue_id));
diesel::joinable!(queue_agents -> users (user_id));
diesel::joinable!(channels -> chatbots (chatbot_id));
diesel::joinable!(numbers -> channels (channel_id));
diesel::joinable!(numbers -> policies (policy_id));
diesel::joinable!(number_statements -> numbers (number_id));
diesel::joinable!(number_restrictions -> numbers (number_id));
diesel::joinable!(number_events -> numbers (number_id));
diesel::joinable!(contacts -> users (responsible_agent_id));
diesel::joinable!(contact_words -> contacts (contact_id));
diesel::joinable!(contact_identities -> contacts (contact_id));
diesel::joinable!(contact_events -> contacts (contact_id));
diesel::joinable!(chatbot_contacts -> chatbots (chatbot_id));
diesel::joinable!(chatbot_contacts -> contacts (contact_id));
diesel::joinable!(chatbot_contacts -> users (last_agent_id));
diesel::joinable!(chatbot_contacts -> channels (last_channel_id));
diesel::joinable!(opt_outs -> contacts (contact_id));
diesel::joinable!(session_windows -> channels (channel_id));
diesel::joinable!(session_windows -> contacts (contact_id));
diesel::joinable!(tickets -> chatbots (chatbot_id));
diesel::joinable!(tickets -> contacts (contact_id));
diesel::joinable!(tickets -> channels (channel_id));
diesel::joinable!(tickets -> queues (queue_id));
diesel::joinable!(messages -> chatbots (chatbot_id));
diesel::joinable!(messages -> channels (channel_id));
diesel::joinable!(messages -> contacts (contact_id));
diesel::joinable!(messages -> tickets (ticket_id));
diesel::joinable!(messages -> users (agent_id));
diesel::joinable!(message_changes -> channels (channel_id));
diesel::joinable!(message_changes -> messages (message_id));
diesel::joinable!(reactions -> channels (channel_id));
diesel::joinable!(reactions -> users (agent_id));
diesel::joinable!(outbox -> messages (message_id));
diesel::joinable!(outbox -> channels (channel_id));
diesel::joinable!(outbox -> contacts (contact_id));
diesel::joinable!(signals -> channels (channel_id));
diesel::joinable!(signals -> contacts (contact_id));
diesel::joinable!(attempts -> messages (message_id));
diesel::joinable!(delivery_events -> messages (message_id));
diesel::joinable!(early_receipts -> channels (channel_id));
diesel::joinable!(active_messages -> messages (message_id));
diesel::joinable!(active_messages -> chatbots (chatbot_id));
diesel::joinable!(active_messages -> numbers (number_id));
diesel::joinable!(active_messages -> contacts (contact_id));
diesel::joinable!(active_messages -> users (agent_id));
diesel::joinable!(active_messages -> api_tokens (token_id));
diesel::joinable!(active_messages -> message_templates (template_id));
diesel::joinable!(recipient_window -> numbers (number_id));
diesel::joinable!(recipient_window -> contacts (contact_id));
diesel::joinable!(media_previews -> users (owner_id));
diesel::joinable!(media -> channels (channel_id));
diesel::joinable!(media -> messages (message_id));
diesel::joinable!(media -> users (uploaded_by));
diesel::joinable!(media_chunks -> media (media_id));
diesel::joinable!(searches -> users (owner_id));

diesel::allow_tables_to_appear_in_same_query!(
    workspace,
    data_keys,
    policies,
    users,
    workspace_permissions,
    sessions,
    api_tokens,
    chatbots,
    quiet_hours_frames,
    memberships,
    membership_permissions,
    presences,
    queues,
    queue_agents,
    channels,
    numbers,
    number_statements,
    number_restrictions,
    number_events,
    contacts,
    contact_words,
    contact_identities,
    contact_events,
    chatbot_contacts,
    opt_outs,
    session_windows,
    message_templates,
    tickets,
    messages,
    message_changes,
    reactions,
    outbox,
    dispatchers,
    signals,
    attempts,
    delivery_events,
    early_receipts,
    active_messages,
    recipient_window,
    decisions,
    idempotency_keys,
    webhook_inbox,
    seen_changes,
    kept_events,
    quarantined_events,
    jobs,
    job_leases,
    job_runs,
    media_previews,
    media,
    media_chunks,
    searches,
);
