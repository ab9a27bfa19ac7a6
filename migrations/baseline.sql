CREATE FUNCTION t_baseline.check_document_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 't_baseline', 'pg_temp'
    AS $$
DECLARE
    may_change text[] := ARRAY['settled', 'version', 'state', 'written_off', 'closed_at', 'closing_entry_id', 'accepted_by', 'base_rate', 'held_for'];
    may_empty  text[] := ARRAY['ordered_network', 'ordered_country'];
BEGIN
    IF OLD.state::text = 'draft' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR (to_jsonb(NEW) - may_change - may_empty) <> (to_jsonb(OLD) - may_change - may_empty)
       OR NEW.ordered_network NOT IN (OLD.ordered_network, '') OR NEW.ordered_country NOT IN (OLD.ordered_country, '')
       OR NEW.state <> OLD.state AND (OLD.state::text <> 'issued' OR NEW.state::text = 'draft')
          AND (OLD.state::text NOT IN ('placed', 'held') OR NEW.state::text NOT IN ('placed', 'held', 'refused', 'done'))
       OR OLD.base_rate IS NOT NULL AND NEW.base_rate IS DISTINCT FROM OLD.base_rate THEN
        RAISE EXCEPTION 'an issued document does not change' USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION t_baseline.check_document_erasure() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 't_baseline', 'pg_temp'
    AS $$
BEGIN
    PERFORM FROM party p WHERE p.id = NEW.customer_id AND p.erased_at IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an issued document does not change' USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION t_baseline.check_document_part_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 't_baseline', 'pg_temp'
    AS $$
BEGIN
    PERFORM FROM document d WHERE d.id = (CASE TG_OP WHEN 'DELETE' THEN OLD.document_id ELSE NEW.document_id END)
        AND d.state::text <> 'draft';
    IF FOUND THEN
        RAISE EXCEPTION 'an issued document does not change' USING ERRCODE = 'LG006';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE FUNCTION t_baseline.check_entry_lines() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 't_baseline', 'pg_temp'
    AS $$
BEGIN
    IF (SELECT count(*) FROM journal_line l WHERE l.entry_id = NEW.id) < 2 THEN
        RAISE EXCEPTION 'an entry has two lines or more' USING ERRCODE = 'LG002';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION t_baseline.check_entry_period() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 't_baseline', 'pg_temp'
    AS $$
DECLARE closed date;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(TG_TABLE_SCHEMA || '.period', 0));
    SELECT books_closed_through INTO closed FROM settings;
    IF NEW.date <= closed THEN
        RAISE EXCEPTION 'the books are closed through %', closed USING ERRCODE = 'LG003';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION t_baseline.check_line_balance() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 't_baseline', 'pg_temp'
    AS $$
BEGIN
    IF (SELECT sum(l.amount) FROM journal_line l WHERE l.entry_id = NEW.entry_id AND l.currency = NEW.currency) <> 0 THEN
        RAISE EXCEPTION 'the lines of an entry add up to zero' USING ERRCODE = 'LG001';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION t_baseline.check_line_entry() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 't_baseline', 'pg_temp'
    AS $$
BEGIN
    PERFORM FROM journal_entry e WHERE e.id = NEW.entry_id AND e.posted_in = pg_current_xact_id();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a line enters only with its entry' USING ERRCODE = 'LG004';
    END IF;
    PERFORM FROM account a WHERE a.id = NEW.account_id AND a.archived_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such account in use' USING ERRCODE = 'LG005';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION t_baseline.check_period_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 't_baseline', 'pg_temp'
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(TG_TABLE_SCHEMA || '.period', 0));
    RETURN NEW;
END $$;
CREATE TABLE t_baseline.account (
    id uuid NOT NULL,
    code character varying(20) NOT NULL,
    name character varying(120) NOT NULL,
    kind character varying(10) NOT NULL,
    purpose character varying(20),
    archived_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    bank_currency character varying(3),
    bank_name character varying(80) DEFAULT ''::character varying NOT NULL,
    bank_last_four character varying(4) DEFAULT ''::character varying NOT NULL,
    bank_mapping character varying(120) DEFAULT ''::character varying NOT NULL,
    bank_since date,
    bank_opening bigint DEFAULT 0 NOT NULL,
    bank_stated bigint,
    bank_stated_on date,
    CONSTRAINT account_bank_currency_check CHECK (((bank_currency)::text ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT account_check CHECK (((bank_currency IS NULL) OR ((kind)::text = 'asset'::text))),
    CONSTRAINT account_check1 CHECK (((bank_stated IS NULL) = (bank_stated_on IS NULL))),
    CONSTRAINT account_kind_check CHECK (((kind)::text = ANY (ARRAY['asset'::text, 'liability'::text, 'equity'::text, 'income'::text, 'expense'::text])))
);
CREATE TABLE t_baseline.audit_log (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_kind character varying(10) NOT NULL,
    actor_id uuid,
    action character varying(40) NOT NULL,
    object_kind character varying(20) NOT NULL,
    object_id uuid,
    request_id character varying(40) NOT NULL,
    network character varying(45) NOT NULL,
    detail character varying(400) NOT NULL,
    grant_id uuid,
    before character varying(2000) DEFAULT ''::character varying NOT NULL,
    after character varying(2000) DEFAULT ''::character varying NOT NULL
);
CREATE TABLE t_baseline.audit_private (
    audit_id uuid NOT NULL,
    field character varying(40) NOT NULL,
    salt uuid NOT NULL,
    before character varying(200) NOT NULL,
    after character varying(200) NOT NULL
);
CREATE TABLE t_baseline.bank_line (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    fingerprint uuid NOT NULL,
    date date NOT NULL,
    amount bigint NOT NULL,
    memo character varying(240) DEFAULT ''::character varying NOT NULL,
    party_name character varying(80) DEFAULT ''::character varying NOT NULL,
    reference character varying(50) DEFAULT ''::character varying NOT NULL,
    how character varying(8),
    entry_id uuid,
    rule_id uuid,
    statement_id uuid,
    added_at timestamp with time zone NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT bank_line_amount_check CHECK ((amount <> 0)),
    CONSTRAINT bank_line_check CHECK (((entry_id IS NULL) = ((how IS NULL) OR ((how)::text = 'excluded'::text)))),
    CONSTRAINT bank_line_check1 CHECK (((statement_id IS NULL) OR (entry_id IS NOT NULL))),
    CONSTRAINT bank_line_how_check CHECK (((how)::text = ANY (ARRAY['payment'::text, 'entry'::text, 'booked'::text, 'transfer'::text, 'excluded'::text])))
);
CREATE TABLE t_baseline.bank_rule (
    id uuid NOT NULL,
    "position" integer NOT NULL,
    account_id uuid,
    words character varying(80) NOT NULL,
    way character varying(8) NOT NULL,
    direction character varying(3) DEFAULT ''::character varying NOT NULL,
    "least" numeric(18,4),
    most numeric(18,4),
    book_to uuid NOT NULL,
    description character varying(120) DEFAULT ''::character varying NOT NULL,
    automatic boolean DEFAULT false NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    tax_code character varying(20) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT bank_rule_check CHECK ((most >= "least")),
    CONSTRAINT bank_rule_direction_check CHECK (((direction)::text = ANY (ARRAY[''::text, 'in'::text, 'out'::text]))),
    CONSTRAINT bank_rule_least_check CHECK (("least" >= (0)::numeric)),
    CONSTRAINT bank_rule_way_check CHECK (((way)::text = ANY (ARRAY['contains'::text, 'starts'::text, 'equals'::text])))
);
CREATE TABLE t_baseline.bank_statement (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    ends_on date NOT NULL,
    opening bigint NOT NULL,
    closing bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    finished_by uuid,
    version integer DEFAULT 1 NOT NULL
);
CREATE TABLE t_baseline.collection (
    document_id uuid NOT NULL,
    state character varying(8) NOT NULL,
    step smallint DEFAULT 0 NOT NULL,
    next_on date,
    reason character varying(60) DEFAULT ''::character varying NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT collection_check CHECK ((((state)::text = 'running'::text) = (next_on IS NOT NULL))),
    CONSTRAINT collection_state_check CHECK (((state)::text = ANY (ARRAY['running'::text, 'stopped'::text, 'done'::text]))),
    CONSTRAINT collection_step_check CHECK ((step >= 0))
);
CREATE TABLE t_baseline.contact (
    id uuid NOT NULL,
    party_id uuid NOT NULL,
    name character varying(100) DEFAULT ''::character varying NOT NULL,
    email character varying(254) NOT NULL,
    password_hash character varying(100),
    rights smallint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone,
    removed_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT contact_rights_check CHECK (((rights >= 0) AND (rights <= 255)))
);
CREATE TABLE t_baseline.counter (
    name character varying(40) NOT NULL,
    value bigint NOT NULL,
    CONSTRAINT counter_value_check CHECK ((value >= 0))
);
CREATE TABLE t_baseline.credit_allocation (
    credit_note_id uuid NOT NULL,
    document_id uuid NOT NULL,
    amount bigint NOT NULL,
    date date NOT NULL,
    created_at timestamp with time zone NOT NULL,
    unrealised bigint DEFAULT 0 NOT NULL,
    CONSTRAINT credit_allocation_amount_check CHECK ((amount > 0))
);
CREATE TABLE t_baseline.document (
    id uuid NOT NULL,
    kind character varying(12) NOT NULL,
    state character varying(8) NOT NULL,
    number character varying(40),
    external_id character varying(100),
    customer_id uuid NOT NULL,
    billed_to jsonb,
    issue_date date NOT NULL,
    due_date date NOT NULL,
    currency character varying(3) NOT NULL,
    reference character varying(60) DEFAULT ''::character varying NOT NULL,
    note character varying(1000) DEFAULT ''::character varying NOT NULL,
    net bigint NOT NULL,
    tax bigint NOT NULL,
    total bigint NOT NULL,
    settled bigint DEFAULT 0 NOT NULL,
    entry_id uuid,
    created_at timestamp with time zone NOT NULL,
    issued_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    purchase_order character varying(60) DEFAULT ''::character varying NOT NULL,
    language character varying(2) DEFAULT 'en'::character varying NOT NULL,
    prices_with_tax boolean DEFAULT false NOT NULL,
    discount_percent numeric(9,6) DEFAULT 0 NOT NULL,
    discount bigint DEFAULT 0 NOT NULL,
    origin_id uuid,
    fee_step smallint DEFAULT 0 NOT NULL,
    written_off bigint DEFAULT 0 NOT NULL,
    closed_at timestamp with time zone,
    closing_entry_id uuid,
    accepted_by character varying(200) DEFAULT ''::character varying NOT NULL,
    base_rate numeric(24,12),
    repeat_unit character varying(5),
    repeat_every smallint,
    repeat_on date,
    repeat_until date,
    repeat_enters boolean DEFAULT false NOT NULL,
    repeat_problem character varying(40) DEFAULT ''::character varying NOT NULL,
    contact_id uuid,
    held_for character varying(400) DEFAULT ''::character varying NOT NULL,
    ordered_network character varying(43) DEFAULT ''::character varying NOT NULL,
    ordered_country character varying(2) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT document_base_rate_check CHECK ((base_rate > (0)::numeric)),
    CONSTRAINT document_check CHECK ((due_date >= issue_date)),
    CONSTRAINT document_check1 CHECK ((total = (net + tax))),
    CONSTRAINT document_check2 CHECK (((settled >= 0) AND (settled <= total))),
    CONSTRAINT document_check3 CHECK ((((state)::text = 'draft'::text) = (number IS NULL))),
    CONSTRAINT document_check4 CHECK ((((state)::text = 'draft'::text) = (issued_at IS NULL))),
    CONSTRAINT document_check5 CHECK ((((state)::text = 'draft'::text) = (billed_to IS NULL))),
    CONSTRAINT document_check6 CHECK ((((state)::text <> 'draft'::text) OR (settled = 0))),
    CONSTRAINT document_currency_check CHECK (((currency)::text ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT document_discount_check CHECK ((discount >= 0)),
    CONSTRAINT document_discount_percent_check CHECK (((discount_percent >= (0)::numeric) AND (discount_percent <= (100)::numeric))),
    CONSTRAINT document_fee_step_check CHECK ((fee_step >= 0)),
    CONSTRAINT document_kind_check CHECK (((kind)::text = ANY (ARRAY['invoice'::text, 'credit_note'::text, 'quote'::text, 'order'::text, 'bill'::text, 'payee_credit'::text, 'recurring'::text]))),
    CONSTRAINT document_language_check CHECK (((language)::text = ANY (ARRAY['en'::text, 'fr'::text]))),
    CONSTRAINT document_net_check CHECK ((net >= 0)),
    CONSTRAINT document_quote_check CHECK (
CASE
    WHEN ((kind)::text = 'quote'::text) THEN ((settled = 0) AND (entry_id IS NULL))
    ELSE ((state)::text <> ALL (ARRAY['accepted'::text, 'declined'::text]))
END),
    CONSTRAINT document_repeat_check CHECK ((((repeat_unit IS NULL) = (repeat_every IS NULL)) AND ((repeat_on IS NULL) OR (repeat_unit IS NOT NULL)) AND ((repeat_unit IS NULL) OR ((kind)::text = 'recurring'::text)))),
    CONSTRAINT document_repeat_every_check CHECK (((repeat_every >= 1) AND (repeat_every <= 365))),
    CONSTRAINT document_repeat_unit_check CHECK (((repeat_unit)::text = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'year'::text]))),
    CONSTRAINT document_state_check CHECK (((state)::text = ANY (ARRAY['draft'::text, 'issued'::text, 'void'::text, 'accepted'::text, 'declined'::text, 'placed'::text, 'held'::text, 'refused'::text, 'done'::text]))),
    CONSTRAINT document_tax_check CHECK ((tax >= 0)),
    CONSTRAINT document_void_check CHECK ((((state)::text <> 'void'::text) OR (settled = 0))),
    CONSTRAINT document_written_off_check CHECK (((written_off >= 0) AND (written_off <= settled)))
);
CREATE TABLE t_baseline.document_line (
    document_id uuid NOT NULL,
    line smallint NOT NULL,
    product_id uuid,
    description character varying(500) NOT NULL,
    quantity numeric(18,6) NOT NULL,
    unit_price numeric(18,6) NOT NULL,
    discount_percent numeric(9,6) NOT NULL,
    account_id uuid NOT NULL,
    net bigint NOT NULL,
    discount_share bigint DEFAULT 0 NOT NULL,
    origin_line smallint,
    CONSTRAINT document_line_discount_percent_check CHECK (((discount_percent >= (0)::numeric) AND (discount_percent <= (100)::numeric))),
    CONSTRAINT document_line_discount_share_check CHECK ((discount_share >= 0)),
    CONSTRAINT document_line_line_check CHECK ((line > 0)),
    CONSTRAINT document_line_net_check CHECK ((net >= 0)),
    CONSTRAINT document_line_origin_line_check CHECK ((origin_line > 0)),
    CONSTRAINT document_line_quantity_check CHECK ((quantity > (0)::numeric)),
    CONSTRAINT document_line_unit_price_check CHECK ((unit_price >= (0)::numeric))
);
CREATE TABLE t_baseline.document_tax (
    document_id uuid NOT NULL,
    line smallint NOT NULL,
    "position" smallint NOT NULL,
    tax_rate_id uuid NOT NULL,
    code character varying(20) NOT NULL,
    name character varying(60) NOT NULL,
    percent numeric(9,6) NOT NULL,
    compound boolean NOT NULL,
    base bigint NOT NULL,
    amount bigint NOT NULL,
    kind character varying(15) DEFAULT 'standard'::character varying NOT NULL,
    reason character varying(200) DEFAULT ''::character varying NOT NULL,
    registration character varying(40) DEFAULT ''::character varying NOT NULL,
    recoverable boolean DEFAULT true NOT NULL,
    CONSTRAINT document_tax_amount_check CHECK ((amount >= 0)),
    CONSTRAINT document_tax_base_check CHECK ((base >= 0)),
    CONSTRAINT document_tax_kind_check CHECK (((kind)::text = ANY (ARRAY['standard'::text, 'zero'::text, 'exempt'::text, 'reverse_charge'::text]))),
    CONSTRAINT document_tax_position_check CHECK (("position" > 0))
);
CREATE TABLE t_baseline.exchange_rate (
    unit character varying(3) NOT NULL,
    currency character varying(3) NOT NULL,
    date date NOT NULL,
    rate numeric(24,12) NOT NULL,
    source character varying(10) NOT NULL,
    entered_at timestamp with time zone NOT NULL,
    CONSTRAINT exchange_rate_check CHECK (((unit)::text <> (currency)::text)),
    CONSTRAINT exchange_rate_currency_check CHECK (((currency)::text ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT exchange_rate_rate_check CHECK ((rate > (0)::numeric)),
    CONSTRAINT exchange_rate_source_check CHECK (((source)::text = ANY (ARRAY['manual'::text, 'ecb'::text]))),
    CONSTRAINT exchange_rate_unit_check CHECK (((unit)::text ~ '^[A-Z]{3}$'::text))
);
CREATE TABLE t_baseline.file (
    id uuid NOT NULL,
    kind character varying(12) NOT NULL,
    subject_id uuid,
    file_name character varying(120) NOT NULL,
    media_type character varying(80) NOT NULL,
    size integer NOT NULL,
    digest character varying(64) NOT NULL,
    mailed boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL,
    state character varying(9) DEFAULT 'kept'::character varying NOT NULL,
    holds character varying(16) DEFAULT ''::character varying NOT NULL,
    rows_done integer DEFAULT 0 NOT NULL,
    rows_all integer DEFAULT 0 NOT NULL,
    asked_by uuid,
    problem character varying(40) DEFAULT ''::character varying NOT NULL,
    moved_at timestamp with time zone,
    expires_at timestamp with time zone,
    CONSTRAINT file_kind_check CHECK (((kind)::text = ANY (ARRAY['attachment'::text, 'logo'::text, 'export'::text, 'import'::text]))),
    CONSTRAINT file_size_check CHECK (((size > 0) OR ((size = 0) AND ((kind)::text = 'export'::text)))),
    CONSTRAINT file_state_check CHECK (((state)::text = ANY (ARRAY['kept'::text, 'queued'::text, 'running'::text, 'ready'::text, 'failed'::text, 'refused'::text, 'cancelled'::text])))
);
CREATE TABLE t_baseline.file_piece (
    file_id uuid NOT NULL,
    "position" integer NOT NULL,
    bytes bytea NOT NULL,
    CONSTRAINT file_piece_position_check CHECK (("position" >= 0))
);
CREATE TABLE t_baseline.gateway_account (
    id uuid NOT NULL,
    kind character varying(10) NOT NULL,
    name character varying(60) NOT NULL,
    sealed character varying(4000) DEFAULT ''::character varying NOT NULL,
    hint character varying(12) DEFAULT ''::character varying NOT NULL,
    instructions character varying(1000) DEFAULT ''::character varying NOT NULL,
    account_id uuid,
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    api_url character varying(200) DEFAULT ''::character varying NOT NULL,
    api_login character varying(60) DEFAULT ''::character varying NOT NULL,
    sender character varying(16) DEFAULT ''::character varying NOT NULL,
    sends character varying(9) DEFAULT ''::character varying NOT NULL,
    turn smallint DEFAULT 0 NOT NULL,
    disabled_at timestamp with time zone,
    trouble character varying(30) DEFAULT ''::character varying NOT NULL,
    trouble_at timestamp with time zone,
    CONSTRAINT gateway_account_account_check CHECK (((account_id IS NULL) = ((kind)::text = ANY (ARRAY['twilio'::text, 'vonage'::text])))),
    CONSTRAINT gateway_account_check CHECK ((((sealed)::text = ''::text) OR ((kind)::text <> 'transfer'::text))),
    CONSTRAINT gateway_account_kind_check CHECK (((kind)::text = ANY (ARRAY['stripe'::text, 'practice'::text, 'transfer'::text, 'twilio'::text, 'vonage'::text]))),
    CONSTRAINT gateway_account_sealed_check CHECK ((((sealed)::text <> ''::text) OR ((kind)::text = 'transfer'::text) OR ((account_id IS NULL) AND (archived_at IS NOT NULL)))),
    CONSTRAINT gateway_account_sends_check CHECK (((sends)::text = ANY (ARRAY[''::text, 'text'::text, 'call'::text, 'text call'::text]))),
    CONSTRAINT gateway_account_text_check CHECK ((((sends)::text = ''::text) = (account_id IS NOT NULL))),
    CONSTRAINT gateway_account_trouble_check CHECK ((((trouble)::text = ''::text) = (trouble_at IS NULL)))
);
CREATE TABLE t_baseline.gateway_movement (
    gateway_account_id uuid NOT NULL,
    kind character varying(12) NOT NULL,
    ref character varying(100) NOT NULL,
    intent_id uuid NOT NULL,
    currency character varying(3) NOT NULL,
    amount bigint NOT NULL,
    payment_id uuid,
    entry_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT gateway_movement_amount_check CHECK ((amount <> 0)),
    CONSTRAINT gateway_movement_currency_check CHECK (((currency)::text ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT gateway_movement_kind_check CHECK (((kind)::text = ANY (ARRAY['charge'::text, 'fee'::text, 'refund'::text, 'dispute'::text, 'reinstated'::text])))
);
CREATE TABLE t_baseline.idempotency_key (
    key character varying(100) NOT NULL,
    request_mac bytea NOT NULL,
    status smallint NOT NULL,
    resource_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE t_baseline.journal_entry (
    id uuid NOT NULL,
    number bigint NOT NULL,
    date date NOT NULL,
    description character varying(300) NOT NULL,
    source_kind character varying(12) NOT NULL,
    source_id uuid,
    reverses_id uuid,
    posted_at timestamp with time zone NOT NULL,
    posted_by uuid,
    posted_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT journal_entry_source_kind_check CHECK (((source_kind)::text = ANY (ARRAY['manual'::text, 'reversal'::text, 'invoice'::text, 'payment'::text, 'gateway'::text, 'credit_note'::text, 'write_off'::text, 'currency'::text, 'closing'::text, 'bill'::text, 'payee_credit'::text, 'bill_payment'::text, 'bank'::text, 'late_fee'::text])))
);
CREATE TABLE t_baseline.journal_line (
    entry_id uuid NOT NULL,
    line smallint NOT NULL,
    account_id uuid NOT NULL,
    party_id uuid,
    currency character varying(3) NOT NULL,
    amount bigint NOT NULL,
    memo character varying(300) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT journal_line_amount_check CHECK ((amount <> 0)),
    CONSTRAINT journal_line_currency_check CHECK (((currency)::text ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT journal_line_line_check CHECK ((line > 0))
);
CREATE TABLE t_baseline.mailing (
    id uuid NOT NULL,
    kind character varying(10) NOT NULL,
    state character varying(8) NOT NULL,
    customer_id uuid NOT NULL,
    document_id uuid,
    step_days smallint,
    from_date date,
    to_date date,
    to_email character varying(254) NOT NULL,
    message character varying(2000) DEFAULT ''::character varying NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    problem character varying(40) DEFAULT ''::character varying NOT NULL,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    CONSTRAINT mailing_check CHECK ((((kind)::text = 'statement'::text) = (document_id IS NULL))),
    CONSTRAINT mailing_check1 CHECK ((((kind)::text = 'reminder'::text) = (step_days IS NOT NULL))),
    CONSTRAINT mailing_check2 CHECK ((((kind)::text = 'statement'::text) = (to_date IS NOT NULL))),
    CONSTRAINT mailing_check3 CHECK ((((state)::text = 'sent'::text) = (sent_at IS NOT NULL))),
    CONSTRAINT mailing_kind_check CHECK (((kind)::text = ANY (ARRAY['document'::text, 'reminder'::text, 'statement'::text]))),
    CONSTRAINT mailing_state_check CHECK (((state)::text = ANY (ARRAY['queued'::text, 'sent'::text, 'failed'::text])))
);
CREATE TABLE t_baseline.member (
    person_id uuid NOT NULL,
    name character varying(200) NOT NULL,
    email character varying(254) NOT NULL,
    role character varying(40) NOT NULL,
    state character varying(10) NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    entry_exempt boolean DEFAULT false NOT NULL,
    notices_read_at timestamp with time zone,
    first_steps_away boolean DEFAULT false NOT NULL,
    CONSTRAINT member_state_check CHECK (((state)::text = ANY (ARRAY['active'::text, 'denied'::text, 'removed'::text])))
);
CREATE TABLE t_baseline.party (
    id uuid NOT NULL,
    external_id character varying(100),
    name character varying(200) NOT NULL,
    company character varying(200) DEFAULT ''::character varying NOT NULL,
    email character varying(254) DEFAULT ''::character varying NOT NULL,
    phone character varying(40) DEFAULT ''::character varying NOT NULL,
    street character varying(200) DEFAULT ''::character varying NOT NULL,
    city character varying(100) DEFAULT ''::character varying NOT NULL,
    region character varying(100) DEFAULT ''::character varying NOT NULL,
    postal_code character varying(20) DEFAULT ''::character varying NOT NULL,
    country character varying(2) DEFAULT ''::character varying NOT NULL,
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    language character varying(2) DEFAULT ''::character varying NOT NULL,
    tax_number character varying(40) DEFAULT ''::character varying NOT NULL,
    payment_terms_days smallint,
    is_customer boolean DEFAULT true NOT NULL,
    is_payee boolean DEFAULT false NOT NULL,
    payee_terms_days smallint,
    expense_account_id uuid,
    erased_at timestamp with time zone,
    erase_after date,
    verified_phone character varying(16) DEFAULT ''::character varying NOT NULL,
    phone_verified_at timestamp with time zone,
    phone_asked boolean DEFAULT false NOT NULL,
    CONSTRAINT party_country_check CHECK (((country)::text ~ '^([A-Z]{2})?$'::text)),
    CONSTRAINT party_language_check CHECK (((language)::text = ANY (ARRAY[''::text, 'en'::text, 'fr'::text]))),
    CONSTRAINT party_payee_terms_days_check CHECK (((payee_terms_days >= 0) AND (payee_terms_days <= 365))),
    CONSTRAINT party_payment_terms_days_check CHECK (((payment_terms_days >= 0) AND (payment_terms_days <= 365))),
    CONSTRAINT party_verified_phone_check CHECK ((((verified_phone)::text = ''::text) = (phone_verified_at IS NULL)))
);
CREATE TABLE t_baseline.payment (
    id uuid NOT NULL,
    external_id character varying(100),
    customer_id uuid NOT NULL,
    date date NOT NULL,
    currency character varying(3) NOT NULL,
    amount bigint NOT NULL,
    method character varying(20) NOT NULL,
    reference character varying(100) DEFAULT ''::character varying NOT NULL,
    account_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    refund_of uuid,
    base_rate numeric(24,12),
    direction character varying(3) DEFAULT 'in'::character varying NOT NULL,
    unrealised bigint DEFAULT 0 NOT NULL,
    CONSTRAINT payment_amount_check CHECK ((amount <> 0)),
    CONSTRAINT payment_base_rate_check CHECK ((base_rate > (0)::numeric)),
    CONSTRAINT payment_currency_check CHECK (((currency)::text ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payment_direction_check CHECK (((direction)::text = ANY (ARRAY['in'::text, 'out'::text])))
);
CREATE TABLE t_baseline.payment_allocation (
    payment_id uuid NOT NULL,
    document_id uuid NOT NULL,
    amount bigint NOT NULL,
    date date,
    unrealised bigint DEFAULT 0 NOT NULL,
    CONSTRAINT payment_allocation_amount_check CHECK ((amount <> 0))
);
CREATE TABLE t_baseline.payment_intent (
    id uuid NOT NULL,
    kind character varying(8) NOT NULL,
    state character varying(10) NOT NULL,
    gateway_account_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    document_id uuid NOT NULL,
    method_id uuid,
    charge_id uuid,
    currency character varying(3) NOT NULL,
    amount bigint NOT NULL,
    ref character varying(100) DEFAULT ''::character varying NOT NULL,
    reason character varying(60) DEFAULT ''::character varying NOT NULL,
    keep boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL,
    called_at timestamp with time zone,
    settled_at timestamp with time zone,
    CONSTRAINT payment_intent_amount_check CHECK ((amount > 0)),
    CONSTRAINT payment_intent_check CHECK ((((kind)::text = 'refund'::text) = (charge_id IS NOT NULL))),
    CONSTRAINT payment_intent_check1 CHECK (((settled_at IS NOT NULL) = ((state)::text = ANY (ARRAY['succeeded'::text, 'declined'::text, 'failed'::text])))),
    CONSTRAINT payment_intent_currency_check CHECK (((currency)::text ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payment_intent_kind_check CHECK (((kind)::text = ANY (ARRAY['charge'::text, 'page'::text, 'refund'::text]))),
    CONSTRAINT payment_intent_state_check CHECK (((state)::text = ANY (ARRAY['ready'::text, 'called'::text, 'unknown'::text, 'waiting'::text, 'succeeded'::text, 'declined'::text, 'failed'::text])))
);
CREATE TABLE t_baseline.payment_method (
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    gateway_account_id uuid,
    kind character varying(10) NOT NULL,
    brand character varying(20) NOT NULL,
    last_four character varying(4) NOT NULL,
    expires character varying(7) DEFAULT ''::character varying NOT NULL,
    sealed character varying(400) NOT NULL,
    automatic boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT payment_method_kind_check CHECK (((kind)::text = ANY (ARRAY['token'::text, 'iban'::text, 'us_bank'::text, 'card'::text])))
);
CREATE TABLE t_baseline.product (
    id uuid NOT NULL,
    external_id character varying(100),
    name character varying(200) NOT NULL,
    description character varying(500) DEFAULT ''::character varying NOT NULL,
    unit_price numeric(18,6) NOT NULL,
    currency character varying(3) NOT NULL,
    income_account_id uuid,
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    in_shop boolean DEFAULT false NOT NULL,
    product_type character varying(30) DEFAULT ''::character varying NOT NULL,
    recurring_unit character varying(5) DEFAULT ''::character varying NOT NULL,
    recurring_every smallint DEFAULT 1 NOT NULL,
    tax_codes character varying(170) DEFAULT ''::character varying NOT NULL,
    phone_check character varying(6) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT product_currency_check CHECK (((currency)::text ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT product_phone_check_check CHECK (((phone_check)::text = ANY (ARRAY[''::text, 'never'::text, 'before'::text, 'after'::text]))),
    CONSTRAINT product_recurring_every_check CHECK (((recurring_every >= 1) AND (recurring_every <= 365))),
    CONSTRAINT product_recurring_unit_check CHECK (((recurring_unit)::text = ANY (ARRAY[''::text, 'day'::text, 'week'::text, 'month'::text, 'year'::text]))),
    CONSTRAINT product_unit_price_check CHECK ((unit_price >= (0)::numeric))
);
CREATE TABLE t_baseline.revaluation (
    id uuid NOT NULL,
    date date NOT NULL,
    entry_id uuid NOT NULL,
    back_id uuid NOT NULL,
    amount bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    replaced_at timestamp with time zone
);
CREATE TABLE t_baseline.role (
    id uuid NOT NULL,
    name character varying(60) NOT NULL,
    rights character varying(1000) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    version integer DEFAULT 1 NOT NULL
);
CREATE TABLE t_baseline.seal (
    seq bigint NOT NULL,
    shape smallint NOT NULL,
    row_id uuid NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    hash character varying(64) NOT NULL,
    CONSTRAINT seal_hash_check CHECK (((hash)::text ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT seal_seq_check CHECK ((seq > 0))
);
CREATE TABLE t_baseline.settings (
    only_row boolean DEFAULT true NOT NULL,
    name character varying(200) NOT NULL,
    base_currency character varying(3) NOT NULL,
    time_zone character varying(64) NOT NULL,
    country character varying(2) NOT NULL,
    street character varying(200) DEFAULT ''::character varying NOT NULL,
    city character varying(100) DEFAULT ''::character varying NOT NULL,
    region character varying(100) DEFAULT ''::character varying NOT NULL,
    postal_code character varying(20) DEFAULT ''::character varying NOT NULL,
    tax_number character varying(40) DEFAULT ''::character varying NOT NULL,
    invoice_prefix character varying(12) DEFAULT 'INV-'::character varying NOT NULL,
    payment_terms_days smallint DEFAULT 30 NOT NULL,
    tax_rounding character varying(10) DEFAULT 'line'::character varying NOT NULL,
    books_closed_through date,
    version integer DEFAULT 1 NOT NULL,
    mail_chain_head boolean DEFAULT false NOT NULL,
    entry_second_factor boolean DEFAULT false NOT NULL,
    entry_password_length smallint DEFAULT 12 NOT NULL,
    entry_password_score smallint DEFAULT 2 NOT NULL,
    entry_password_days integer DEFAULT 0 NOT NULL,
    entry_idle_minutes integer DEFAULT 0 NOT NULL,
    entry_session_hours integer DEFAULT 0 NOT NULL,
    portal_captcha boolean DEFAULT false NOT NULL,
    entry_version integer DEFAULT 1 NOT NULL,
    collect_automatically boolean DEFAULT false NOT NULL,
    invoice_numbering character varying(40) DEFAULT ''::character varying NOT NULL,
    quote_numbering character varying(40) DEFAULT 'QUO-{0000}'::character varying NOT NULL,
    credit_note_numbering character varying(40) DEFAULT 'CN-{0000}'::character varying NOT NULL,
    quote_days smallint DEFAULT 30 NOT NULL,
    late_fee_percent numeric(9,6) DEFAULT 0 NOT NULL,
    late_fee bigint DEFAULT 0 NOT NULL,
    late_fee_days smallint DEFAULT 14 NOT NULL,
    late_fee_monthly boolean DEFAULT false NOT NULL,
    logo_id uuid,
    document_colour character varying(7) DEFAULT ''::character varying NOT NULL,
    pay_to character varying(500) DEFAULT ''::character varying NOT NULL,
    document_foot character varying(500) DEFAULT ''::character varying NOT NULL,
    reply_to_email character varying(254) DEFAULT ''::character varying NOT NULL,
    reminder_days character varying(60) DEFAULT ''::character varying NOT NULL,
    late_fee_since date,
    keep_years smallint DEFAULT 10 NOT NULL,
    portal_sign_up boolean DEFAULT false NOT NULL,
    shop_open boolean DEFAULT false NOT NULL,
    portal_version integer DEFAULT 1 NOT NULL,
    phone_check character varying(6) DEFAULT 'never'::character varying NOT NULL,
    phone_types character varying(800) DEFAULT ''::character varying NOT NULL,
    phone_filter character varying(200) DEFAULT ''::character varying NOT NULL,
    phone_text character varying(140) DEFAULT '%code% is your code. It is good for one number and one time.'::character varying NOT NULL,
    phone_ways character varying(10) DEFAULT 'text call'::character varying NOT NULL,
    phone_minutes smallint DEFAULT 10 NOT NULL,
    phone_tries smallint DEFAULT 5 NOT NULL,
    phone_delay smallint DEFAULT 60 NOT NULL,
    phone_number_day smallint DEFAULT 5 NOT NULL,
    phone_network_day smallint DEFAULT 20 NOT NULL,
    phone_denied character varying(800) DEFAULT ''::character varying NOT NULL,
    phone_kinds character varying(40) DEFAULT ''::character varying NOT NULL,
    phone_version integer DEFAULT 1 NOT NULL,
    phone_join boolean DEFAULT false NOT NULL,
    review_hours smallint DEFAULT 24 NOT NULL,
    review_orders smallint DEFAULT 0 NOT NULL,
    review_cards smallint DEFAULT 0 NOT NULL,
    review_addresses smallint DEFAULT 0 NOT NULL,
    review_countries smallint DEFAULT 0 NOT NULL,
    review_version integer DEFAULT 1 NOT NULL,
    CONSTRAINT settings_base_currency_check CHECK (((base_currency)::text ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT settings_country_check CHECK (((country)::text ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT settings_entry_idle_minutes_check CHECK (((entry_idle_minutes >= 0) AND (entry_idle_minutes <= 1440))),
    CONSTRAINT settings_entry_password_days_check CHECK (((entry_password_days >= 0) AND (entry_password_days <= 3650))),
    CONSTRAINT settings_entry_password_length_check CHECK ((entry_password_length = ANY (ARRAY[12, 15, 20]))),
    CONSTRAINT settings_entry_password_score_check CHECK (((entry_password_score >= 2) AND (entry_password_score <= 4))),
    CONSTRAINT settings_entry_session_hours_check CHECK (((entry_session_hours >= 0) AND (entry_session_hours <= 720))),
    CONSTRAINT settings_keep_years_check CHECK (((keep_years >= 1) AND (keep_years <= 30))),
    CONSTRAINT settings_late_fee_check CHECK ((late_fee >= 0)),
    CONSTRAINT settings_late_fee_days_check CHECK (((late_fee_days >= 1) AND (late_fee_days <= 365))),
    CONSTRAINT settings_late_fee_one_check CHECK (((late_fee = 0) OR (late_fee_percent = (0)::numeric))),
    CONSTRAINT settings_late_fee_percent_check CHECK (((late_fee_percent >= (0)::numeric) AND (late_fee_percent <= (100)::numeric))),
    CONSTRAINT settings_only_row_check CHECK (only_row),
    CONSTRAINT settings_payment_terms_days_check CHECK (((payment_terms_days >= 0) AND (payment_terms_days <= 365))),
    CONSTRAINT settings_phone_check_check CHECK (((phone_check)::text = ANY (ARRAY['never'::text, 'before'::text, 'after'::text]))),
    CONSTRAINT settings_phone_delay_check CHECK (((phone_delay >= 30) AND (phone_delay <= 3600))),
    CONSTRAINT settings_phone_minutes_check CHECK (((phone_minutes >= 1) AND (phone_minutes <= 60))),
    CONSTRAINT settings_phone_network_day_check CHECK (((phone_network_day >= 1) AND (phone_network_day <= 1000))),
    CONSTRAINT settings_phone_number_day_check CHECK (((phone_number_day >= 1) AND (phone_number_day <= 20))),
    CONSTRAINT settings_phone_tries_check CHECK (((phone_tries >= 1) AND (phone_tries <= 10))),
    CONSTRAINT settings_phone_ways_check CHECK (((phone_ways)::text = ANY (ARRAY['text'::text, 'call'::text, 'text call'::text, 'call text'::text]))),
    CONSTRAINT settings_quote_days_check CHECK (((quote_days >= 0) AND (quote_days <= 365))),
    CONSTRAINT settings_review_addresses_check CHECK (((review_addresses >= 0) AND (review_addresses <= 1000))),
    CONSTRAINT settings_review_cards_check CHECK (((review_cards >= 0) AND (review_cards <= 1000))),
    CONSTRAINT settings_review_countries_check CHECK (((review_countries >= 0) AND (review_countries <= 1000))),
    CONSTRAINT settings_review_hours_check CHECK (((review_hours >= 1) AND (review_hours <= 168))),
    CONSTRAINT settings_review_orders_check CHECK (((review_orders >= 0) AND (review_orders <= 1000))),
    CONSTRAINT settings_tax_rounding_check CHECK (((tax_rounding)::text = ANY (ARRAY['line'::text, 'document'::text])))
);
CREATE TABLE t_baseline.subscription (
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    state character varying(8) NOT NULL,
    unit character varying(5) NOT NULL,
    every smallint NOT NULL,
    anchor date NOT NULL,
    month_end boolean NOT NULL,
    started_on date NOT NULL,
    next_period integer NOT NULL,
    next_on date,
    usage_from date NOT NULL,
    cancel_at_end boolean DEFAULT false NOT NULL,
    ended_on date,
    currency character varying(3) NOT NULL,
    coupon_percent numeric(9,6) DEFAULT 0 NOT NULL,
    coupon_amount bigint DEFAULT 0 NOT NULL,
    coupon_left smallint DEFAULT 0 NOT NULL,
    credit bigint DEFAULT 0 NOT NULL,
    collect boolean NOT NULL,
    send boolean NOT NULL,
    problem character varying(60) DEFAULT ''::character varying NOT NULL,
    created_at timestamp with time zone NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT subscription_check CHECK ((((state)::text = 'ended'::text) = (next_on IS NULL))),
    CONSTRAINT subscription_check1 CHECK ((((state)::text = 'ended'::text) = (ended_on IS NOT NULL))),
    CONSTRAINT subscription_coupon_amount_check CHECK ((coupon_amount >= 0)),
    CONSTRAINT subscription_coupon_left_check CHECK ((coupon_left >= 0)),
    CONSTRAINT subscription_coupon_percent_check CHECK (((coupon_percent >= (0)::numeric) AND (coupon_percent <= (100)::numeric))),
    CONSTRAINT subscription_credit_check CHECK ((credit >= 0)),
    CONSTRAINT subscription_currency_check CHECK (((currency)::text ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT subscription_every_check CHECK (((every >= 1) AND (every <= 365))),
    CONSTRAINT subscription_next_period_check CHECK ((next_period >= 0)),
    CONSTRAINT subscription_state_check CHECK (((state)::text = ANY (ARRAY['trialing'::text, 'active'::text, 'paused'::text, 'ended'::text]))),
    CONSTRAINT subscription_unit_check CHECK (((unit)::text = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'year'::text])))
);
CREATE TABLE t_baseline.subscription_item (
    id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    item_id uuid NOT NULL,
    from_period integer NOT NULL,
    to_period integer,
    product_id uuid,
    description character varying(250) NOT NULL,
    quantity numeric(18,6) NOT NULL,
    unit_price numeric(18,6) NOT NULL,
    tax_codes character varying(170) NOT NULL,
    metered character varying(6) NOT NULL,
    once boolean DEFAULT false NOT NULL,
    document_id uuid,
    CONSTRAINT subscription_item_check CHECK ((to_period >= from_period)),
    CONSTRAINT subscription_item_check1 CHECK ((once OR (document_id IS NULL))),
    CONSTRAINT subscription_item_metered_check CHECK (((metered)::text = ANY (ARRAY[''::text, 'sum'::text, 'max'::text, 'last'::text, 'unique'::text]))),
    CONSTRAINT subscription_item_quantity_check CHECK ((quantity >= (0)::numeric)),
    CONSTRAINT subscription_item_unit_price_check CHECK ((unit_price >= (0)::numeric))
);
CREATE TABLE t_baseline.subscription_period (
    subscription_id uuid NOT NULL,
    period integer NOT NULL,
    from_date date NOT NULL,
    to_date date NOT NULL,
    coupon_percent numeric(9,6) NOT NULL,
    document_id uuid,
    closing boolean DEFAULT false NOT NULL,
    coupon_amount bigint DEFAULT 0 NOT NULL,
    CONSTRAINT subscription_period_coupon_amount_check CHECK ((coupon_amount >= 0)),
    CONSTRAINT subscription_period_period_check CHECK ((period >= 0))
);
CREATE TABLE t_baseline.tax_group_rate (
    group_id uuid NOT NULL,
    "position" smallint NOT NULL,
    tax_rate_id uuid NOT NULL,
    CONSTRAINT tax_group_rate_position_check CHECK (("position" > 0))
);
CREATE TABLE t_baseline.tax_percent (
    tax_rate_id uuid NOT NULL,
    since date NOT NULL,
    percent numeric(9,6) NOT NULL,
    CONSTRAINT tax_percent_percent_check CHECK (((percent >= (0)::numeric) AND (percent <= (100)::numeric)))
);
CREATE TABLE t_baseline.tax_rate (
    id uuid NOT NULL,
    code character varying(20) NOT NULL,
    name character varying(60) NOT NULL,
    percent numeric(9,6) NOT NULL,
    compound boolean NOT NULL,
    account_id uuid NOT NULL,
    archived_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    kind character varying(15) DEFAULT 'standard'::character varying NOT NULL,
    reason character varying(200) DEFAULT ''::character varying NOT NULL,
    registration character varying(40) DEFAULT ''::character varying NOT NULL,
    recoverable boolean DEFAULT true NOT NULL,
    input_account_id uuid,
    CONSTRAINT tax_rate_kind_check CHECK (((kind)::text = ANY (ARRAY['standard'::text, 'zero'::text, 'exempt'::text, 'reverse_charge'::text, 'group'::text]))),
    CONSTRAINT tax_rate_kind_percent_check CHECK ((((kind)::text = 'standard'::text) OR (percent = (0)::numeric))),
    CONSTRAINT tax_rate_percent_check CHECK (((percent >= (0)::numeric) AND (percent <= (100)::numeric)))
);
CREATE TABLE t_baseline.usage_event (
    subscription_id uuid NOT NULL,
    key character varying(100) NOT NULL,
    item_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    used_on date NOT NULL,
    quantity numeric(18,6) NOT NULL,
    value character varying(100) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT usage_event_quantity_check CHECK ((quantity >= (0)::numeric))
);
CREATE TABLE t_baseline.webhook_delivery (
    endpoint_id uuid NOT NULL,
    id uuid NOT NULL,
    event character varying(40) NOT NULL,
    object character varying(20) NOT NULL,
    object_id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    state character varying(9) NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    next_at timestamp with time zone,
    tried_at timestamp with time zone,
    status smallint DEFAULT 0 NOT NULL,
    problem character varying(40) DEFAULT ''::character varying NOT NULL,
    answer character varying(200) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT webhook_delivery_check CHECK ((((state)::text = 'pending'::text) = (next_at IS NOT NULL))),
    CONSTRAINT webhook_delivery_state_check CHECK (((state)::text = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text]))),
    CONSTRAINT webhook_delivery_tries_check CHECK ((tries >= 0))
);
CREATE TABLE t_baseline.webhook_endpoint (
    id uuid NOT NULL,
    name character varying(60) NOT NULL,
    url character varying(500) NOT NULL,
    events character varying(1000) NOT NULL,
    sealed character varying(400) NOT NULL,
    former_sealed character varying(400) DEFAULT ''::character varying NOT NULL,
    former_until timestamp with time zone,
    failing_since timestamp with time zone,
    disabled_at timestamp with time zone,
    disabled_for character varying(7) DEFAULT ''::character varying NOT NULL,
    created_at timestamp with time zone NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT webhook_endpoint_check CHECK ((((former_sealed)::text = ''::text) = (former_until IS NULL))),
    CONSTRAINT webhook_endpoint_check1 CHECK ((((disabled_for)::text = ''::text) = (disabled_at IS NULL))),
    CONSTRAINT webhook_endpoint_disabled_for_check CHECK (((disabled_for)::text = ANY (ARRAY[''::text, 'hand'::text, 'gone'::text, 'failing'::text]))),
    CONSTRAINT webhook_endpoint_events_check CHECK (((events)::text <> ''::text))
);
ALTER TABLE ONLY t_baseline.account
    ADD CONSTRAINT account_code_key UNIQUE (code);
ALTER TABLE ONLY t_baseline.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.account
    ADD CONSTRAINT account_purpose_key UNIQUE (purpose);
ALTER TABLE ONLY t_baseline.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.audit_private
    ADD CONSTRAINT audit_private_pkey PRIMARY KEY (audit_id, field);
ALTER TABLE ONLY t_baseline.bank_line
    ADD CONSTRAINT bank_line_account_id_fingerprint_key UNIQUE (account_id, fingerprint);
ALTER TABLE ONLY t_baseline.bank_line
    ADD CONSTRAINT bank_line_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.bank_rule
    ADD CONSTRAINT bank_rule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.bank_statement
    ADD CONSTRAINT bank_statement_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.collection
    ADD CONSTRAINT collection_pkey PRIMARY KEY (document_id);
ALTER TABLE ONLY t_baseline.contact
    ADD CONSTRAINT contact_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.counter
    ADD CONSTRAINT counter_pkey PRIMARY KEY (name);
ALTER TABLE ONLY t_baseline.credit_allocation
    ADD CONSTRAINT credit_allocation_pkey PRIMARY KEY (credit_note_id, document_id);
ALTER TABLE ONLY t_baseline.document
    ADD CONSTRAINT document_entry_id_key UNIQUE (entry_id);
ALTER TABLE ONLY t_baseline.document
    ADD CONSTRAINT document_kind_external_id_key UNIQUE (kind, external_id);
ALTER TABLE ONLY t_baseline.document
    ADD CONSTRAINT document_kind_number_key UNIQUE (kind, number);
ALTER TABLE ONLY t_baseline.document_line
    ADD CONSTRAINT document_line_pkey PRIMARY KEY (document_id, line);
ALTER TABLE ONLY t_baseline.document
    ADD CONSTRAINT document_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.document_tax
    ADD CONSTRAINT document_tax_pkey PRIMARY KEY (document_id, line, "position");
ALTER TABLE ONLY t_baseline.exchange_rate
    ADD CONSTRAINT exchange_rate_pkey PRIMARY KEY (unit, currency, date);
ALTER TABLE ONLY t_baseline.file_piece
    ADD CONSTRAINT file_piece_pkey PRIMARY KEY (file_id, "position");
ALTER TABLE ONLY t_baseline.file
    ADD CONSTRAINT file_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.gateway_account
    ADD CONSTRAINT gateway_account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.gateway_movement
    ADD CONSTRAINT gateway_movement_pkey PRIMARY KEY (gateway_account_id, kind, ref);
ALTER TABLE ONLY t_baseline.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (key);
ALTER TABLE ONLY t_baseline.journal_entry
    ADD CONSTRAINT journal_entry_number_key UNIQUE (number);
ALTER TABLE ONLY t_baseline.journal_entry
    ADD CONSTRAINT journal_entry_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.journal_entry
    ADD CONSTRAINT journal_entry_reverses_id_key UNIQUE (reverses_id);
ALTER TABLE ONLY t_baseline.journal_line
    ADD CONSTRAINT journal_line_pkey PRIMARY KEY (entry_id, line);
ALTER TABLE ONLY t_baseline.mailing
    ADD CONSTRAINT mailing_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.member
    ADD CONSTRAINT member_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY t_baseline.party
    ADD CONSTRAINT party_external_id_key UNIQUE (external_id);
ALTER TABLE ONLY t_baseline.party
    ADD CONSTRAINT party_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.payment_allocation
    ADD CONSTRAINT payment_allocation_pkey PRIMARY KEY (payment_id, document_id);
ALTER TABLE ONLY t_baseline.payment
    ADD CONSTRAINT payment_entry_id_key UNIQUE (entry_id);
ALTER TABLE ONLY t_baseline.payment
    ADD CONSTRAINT payment_external_id_key UNIQUE (external_id);
ALTER TABLE ONLY t_baseline.payment_intent
    ADD CONSTRAINT payment_intent_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.payment_method
    ADD CONSTRAINT payment_method_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.product
    ADD CONSTRAINT product_external_id_key UNIQUE (external_id);
ALTER TABLE ONLY t_baseline.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.revaluation
    ADD CONSTRAINT revaluation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.role
    ADD CONSTRAINT role_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.seal
    ADD CONSTRAINT seal_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY t_baseline.seal
    ADD CONSTRAINT seal_row_id_key UNIQUE (row_id);
ALTER TABLE ONLY t_baseline.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY t_baseline.subscription_item
    ADD CONSTRAINT subscription_item_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.subscription_period
    ADD CONSTRAINT subscription_period_pkey PRIMARY KEY (subscription_id, period);
ALTER TABLE ONLY t_baseline.subscription
    ADD CONSTRAINT subscription_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.tax_group_rate
    ADD CONSTRAINT tax_group_rate_pkey PRIMARY KEY (group_id, "position");
ALTER TABLE ONLY t_baseline.tax_percent
    ADD CONSTRAINT tax_percent_pkey PRIMARY KEY (tax_rate_id, since);
ALTER TABLE ONLY t_baseline.tax_rate
    ADD CONSTRAINT tax_rate_code_key UNIQUE (code);
ALTER TABLE ONLY t_baseline.tax_rate
    ADD CONSTRAINT tax_rate_pkey PRIMARY KEY (id);
ALTER TABLE ONLY t_baseline.usage_event
    ADD CONSTRAINT usage_event_pkey PRIMARY KEY (subscription_id, key);
ALTER TABLE ONLY t_baseline.webhook_delivery
    ADD CONSTRAINT webhook_delivery_pkey PRIMARY KEY (endpoint_id, id);
ALTER TABLE ONLY t_baseline.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_pkey PRIMARY KEY (id);
CREATE INDEX audit_log_grant ON t_baseline.audit_log USING btree (grant_id, id) WHERE (grant_id IS NOT NULL);
CREATE INDEX audit_log_object ON t_baseline.audit_log USING btree (object_id, id) WHERE (object_id IS NOT NULL);
CREATE UNIQUE INDEX contact_email ON t_baseline.contact USING btree (lower((email)::text)) WHERE (removed_at IS NULL);
CREATE INDEX credit_allocation_document ON t_baseline.credit_allocation USING btree (document_id);
CREATE INDEX document_customer ON t_baseline.document USING btree (customer_id, id);
CREATE UNIQUE INDEX document_once ON t_baseline.document USING btree (origin_id, fee_step) WHERE (((kind)::text = 'invoice'::text) AND (origin_id IS NOT NULL));
CREATE INDEX document_open ON t_baseline.document USING btree (due_date, id) WHERE (((state)::text = 'issued'::text) AND (settled < total));
CREATE INDEX document_origin ON t_baseline.document USING btree (origin_id) WHERE (origin_id IS NOT NULL);
CREATE INDEX file_subject ON t_baseline.file USING btree (subject_id, id);
CREATE INDEX gateway_movement_intent ON t_baseline.gateway_movement USING btree (intent_id);
CREATE INDEX journal_entry_date ON t_baseline.journal_entry USING btree (date, number);
CREATE INDEX journal_line_account ON t_baseline.journal_line USING btree (account_id, entry_id);
CREATE INDEX mailing_document ON t_baseline.mailing USING btree (document_id, id);
CREATE UNIQUE INDEX mailing_reminder ON t_baseline.mailing USING btree (document_id, step_days) WHERE ((kind)::text = 'reminder'::text);
CREATE INDEX payment_allocation_document ON t_baseline.payment_allocation USING btree (document_id);
CREATE INDEX payment_customer ON t_baseline.payment USING btree (customer_id, id);
CREATE INDEX payment_intent_document ON t_baseline.payment_intent USING btree (document_id, id);
CREATE UNIQUE INDEX payment_intent_live ON t_baseline.payment_intent USING btree ((
CASE
    WHEN ((kind)::text = 'refund'::text) THEN id
    ELSE document_id
END)) WHERE (settled_at IS NULL);
CREATE UNIQUE INDEX payment_method_automatic ON t_baseline.payment_method USING btree (customer_id) WHERE (automatic AND (archived_at IS NULL));
CREATE INDEX payment_method_customer ON t_baseline.payment_method USING btree (customer_id) WHERE (archived_at IS NULL);
CREATE INDEX payment_refund_of ON t_baseline.payment USING btree (refund_of) WHERE (refund_of IS NOT NULL);
CREATE UNIQUE INDEX revaluation_date ON t_baseline.revaluation USING btree (date) WHERE (replaced_at IS NULL);
CREATE UNIQUE INDEX role_name ON t_baseline.role USING btree (lower((name)::text));
CREATE INDEX subscription_due ON t_baseline.subscription USING btree (next_on) WHERE ((state)::text = ANY (ARRAY['trialing'::text, 'active'::text]));
CREATE INDEX subscription_item_subscription ON t_baseline.subscription_item USING btree (subscription_id);
CREATE INDEX usage_event_item ON t_baseline.usage_event USING btree (item_id, used_on);
CREATE TRIGGER document_change BEFORE UPDATE ON t_baseline.document FOR EACH ROW WHEN (((new.billed_to IS NULL) OR (new.billed_to <> '{"name": "Erased"}'::jsonb) OR ((new.accepted_by)::text <> ''::text) OR ((new.note)::text <> ''::text) OR ((new.reference)::text <> ''::text) OR ((new.purchase_order)::text <> ''::text) OR ((to_jsonb(new.*) - ARRAY['billed_to'::text, 'accepted_by'::text, 'note'::text, 'reference'::text, 'purchase_order'::text]) <> (to_jsonb(old.*) - ARRAY['billed_to'::text, 'accepted_by'::text, 'note'::text, 'reference'::text, 'purchase_order'::text])))) EXECUTE FUNCTION t_baseline.check_document_change();
CREATE TRIGGER document_erasure BEFORE UPDATE OF billed_to ON t_baseline.document FOR EACH ROW WHEN ((new.billed_to = '{"name": "Erased"}'::jsonb)) EXECUTE FUNCTION t_baseline.check_document_erasure();
CREATE TRIGGER document_line_change BEFORE INSERT OR DELETE OR UPDATE ON t_baseline.document_line FOR EACH ROW EXECUTE FUNCTION t_baseline.check_document_part_change();
CREATE TRIGGER document_removal BEFORE DELETE ON t_baseline.document FOR EACH ROW EXECUTE FUNCTION t_baseline.check_document_change();
CREATE TRIGGER document_tax_change BEFORE INSERT OR DELETE OR UPDATE ON t_baseline.document_tax FOR EACH ROW EXECUTE FUNCTION t_baseline.check_document_part_change();
CREATE CONSTRAINT TRIGGER entry_lines AFTER INSERT ON t_baseline.journal_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION t_baseline.check_entry_lines();
CREATE TRIGGER entry_period BEFORE INSERT ON t_baseline.journal_entry FOR EACH ROW EXECUTE FUNCTION t_baseline.check_entry_period();
CREATE CONSTRAINT TRIGGER line_balance AFTER INSERT ON t_baseline.journal_line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION t_baseline.check_line_balance();
CREATE TRIGGER line_entry BEFORE INSERT ON t_baseline.journal_line FOR EACH ROW EXECUTE FUNCTION t_baseline.check_line_entry();
CREATE TRIGGER settings_period BEFORE UPDATE OF books_closed_through ON t_baseline.settings FOR EACH ROW EXECUTE FUNCTION t_baseline.check_period_change();
ALTER TABLE ONLY t_baseline.audit_private
    ADD CONSTRAINT audit_private_audit_id_fkey FOREIGN KEY (audit_id) REFERENCES t_baseline.audit_log(id);
ALTER TABLE ONLY t_baseline.bank_line
    ADD CONSTRAINT bank_line_account_id_fkey FOREIGN KEY (account_id) REFERENCES t_baseline.account(id);
ALTER TABLE ONLY t_baseline.bank_line
    ADD CONSTRAINT bank_line_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES t_baseline.journal_entry(id);
ALTER TABLE ONLY t_baseline.bank_line
    ADD CONSTRAINT bank_line_statement_id_fkey FOREIGN KEY (statement_id) REFERENCES t_baseline.bank_statement(id);
ALTER TABLE ONLY t_baseline.bank_rule
    ADD CONSTRAINT bank_rule_account_id_fkey FOREIGN KEY (account_id) REFERENCES t_baseline.account(id);
ALTER TABLE ONLY t_baseline.bank_rule
    ADD CONSTRAINT bank_rule_book_to_fkey FOREIGN KEY (book_to) REFERENCES t_baseline.account(id);
ALTER TABLE ONLY t_baseline.bank_statement
    ADD CONSTRAINT bank_statement_account_id_fkey FOREIGN KEY (account_id) REFERENCES t_baseline.account(id);
ALTER TABLE ONLY t_baseline.collection
    ADD CONSTRAINT collection_document_id_fkey FOREIGN KEY (document_id) REFERENCES t_baseline.document(id);
ALTER TABLE ONLY t_baseline.contact
    ADD CONSTRAINT contact_party_id_fkey FOREIGN KEY (party_id) REFERENCES t_baseline.party(id);
ALTER TABLE ONLY t_baseline.credit_allocation
    ADD CONSTRAINT credit_allocation_credit_note_id_fkey FOREIGN KEY (credit_note_id) REFERENCES t_baseline.document(id);
ALTER TABLE ONLY t_baseline.credit_allocation
    ADD CONSTRAINT credit_allocation_document_id_fkey FOREIGN KEY (document_id) REFERENCES t_baseline.document(id);
ALTER TABLE ONLY t_baseline.document
    ADD CONSTRAINT document_closing_entry_id_fkey FOREIGN KEY (closing_entry_id) REFERENCES t_baseline.journal_entry(id);
ALTER TABLE ONLY t_baseline.document
    ADD CONSTRAINT document_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES t_baseline.contact(id);
ALTER TABLE ONLY t_baseline.document
    ADD CONSTRAINT document_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES t_baseline.party(id);
ALTER TABLE ONLY t_baseline.document
    ADD CONSTRAINT document_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES t_baseline.journal_entry(id);
ALTER TABLE ONLY t_baseline.document_line
    ADD CONSTRAINT document_line_account_id_fkey FOREIGN KEY (account_id) REFERENCES t_baseline.account(id);
ALTER TABLE ONLY t_baseline.document_line
    ADD CONSTRAINT document_line_document_id_fkey FOREIGN KEY (document_id) REFERENCES t_baseline.document(id) ON DELETE CASCADE;
ALTER TABLE ONLY t_baseline.document_line
    ADD CONSTRAINT document_line_product_id_fkey FOREIGN KEY (product_id) REFERENCES t_baseline.product(id);
ALTER TABLE ONLY t_baseline.document
    ADD CONSTRAINT document_origin_id_fkey FOREIGN KEY (origin_id) REFERENCES t_baseline.document(id);
ALTER TABLE ONLY t_baseline.document_tax
    ADD CONSTRAINT document_tax_document_id_line_fkey FOREIGN KEY (document_id, line) REFERENCES t_baseline.document_line(document_id, line) ON DELETE CASCADE;
ALTER TABLE ONLY t_baseline.document_tax
    ADD CONSTRAINT document_tax_tax_rate_id_fkey FOREIGN KEY (tax_rate_id) REFERENCES t_baseline.tax_rate(id);
ALTER TABLE ONLY t_baseline.file_piece
    ADD CONSTRAINT file_piece_file_id_fkey FOREIGN KEY (file_id) REFERENCES t_baseline.file(id) ON DELETE CASCADE;
ALTER TABLE ONLY t_baseline.gateway_account
    ADD CONSTRAINT gateway_account_account_id_fkey FOREIGN KEY (account_id) REFERENCES t_baseline.account(id);
ALTER TABLE ONLY t_baseline.gateway_movement
    ADD CONSTRAINT gateway_movement_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES t_baseline.journal_entry(id);
ALTER TABLE ONLY t_baseline.gateway_movement
    ADD CONSTRAINT gateway_movement_gateway_account_id_fkey FOREIGN KEY (gateway_account_id) REFERENCES t_baseline.gateway_account(id);
ALTER TABLE ONLY t_baseline.gateway_movement
    ADD CONSTRAINT gateway_movement_intent_id_fkey FOREIGN KEY (intent_id) REFERENCES t_baseline.payment_intent(id);
ALTER TABLE ONLY t_baseline.gateway_movement
    ADD CONSTRAINT gateway_movement_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES t_baseline.payment(id);
ALTER TABLE ONLY t_baseline.journal_entry
    ADD CONSTRAINT journal_entry_reverses_id_fkey FOREIGN KEY (reverses_id) REFERENCES t_baseline.journal_entry(id);
ALTER TABLE ONLY t_baseline.mailing
    ADD CONSTRAINT mailing_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES t_baseline.party(id);
ALTER TABLE ONLY t_baseline.mailing
    ADD CONSTRAINT mailing_document_id_fkey FOREIGN KEY (document_id) REFERENCES t_baseline.document(id) ON DELETE CASCADE;
ALTER TABLE ONLY t_baseline.party
    ADD CONSTRAINT party_expense_account_id_fkey FOREIGN KEY (expense_account_id) REFERENCES t_baseline.account(id);
ALTER TABLE ONLY t_baseline.payment
    ADD CONSTRAINT payment_account_id_fkey FOREIGN KEY (account_id) REFERENCES t_baseline.account(id);
ALTER TABLE ONLY t_baseline.payment_allocation
    ADD CONSTRAINT payment_allocation_document_id_fkey FOREIGN KEY (document_id) REFERENCES t_baseline.document(id);
ALTER TABLE ONLY t_baseline.payment_allocation
    ADD CONSTRAINT payment_allocation_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES t_baseline.payment(id);
ALTER TABLE ONLY t_baseline.payment
    ADD CONSTRAINT payment_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES t_baseline.party(id);
ALTER TABLE ONLY t_baseline.payment
    ADD CONSTRAINT payment_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES t_baseline.journal_entry(id);
ALTER TABLE ONLY t_baseline.payment_intent
    ADD CONSTRAINT payment_intent_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES t_baseline.payment_intent(id);
ALTER TABLE ONLY t_baseline.payment_intent
    ADD CONSTRAINT payment_intent_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES t_baseline.party(id);
ALTER TABLE ONLY t_baseline.payment_intent
    ADD CONSTRAINT payment_intent_document_id_fkey FOREIGN KEY (document_id) REFERENCES t_baseline.document(id);
ALTER TABLE ONLY t_baseline.payment_intent
    ADD CONSTRAINT payment_intent_gateway_account_id_fkey FOREIGN KEY (gateway_account_id) REFERENCES t_baseline.gateway_account(id);
ALTER TABLE ONLY t_baseline.payment_intent
    ADD CONSTRAINT payment_intent_method_id_fkey FOREIGN KEY (method_id) REFERENCES t_baseline.payment_method(id);
ALTER TABLE ONLY t_baseline.payment_method
    ADD CONSTRAINT payment_method_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES t_baseline.party(id);
ALTER TABLE ONLY t_baseline.payment_method
    ADD CONSTRAINT payment_method_gateway_account_id_fkey FOREIGN KEY (gateway_account_id) REFERENCES t_baseline.gateway_account(id);
ALTER TABLE ONLY t_baseline.payment
    ADD CONSTRAINT payment_refund_of_fkey FOREIGN KEY (refund_of) REFERENCES t_baseline.payment(id);
ALTER TABLE ONLY t_baseline.product
    ADD CONSTRAINT product_income_account_id_fkey FOREIGN KEY (income_account_id) REFERENCES t_baseline.account(id);
ALTER TABLE ONLY t_baseline.revaluation
    ADD CONSTRAINT revaluation_back_id_fkey FOREIGN KEY (back_id) REFERENCES t_baseline.journal_entry(id);
ALTER TABLE ONLY t_baseline.revaluation
    ADD CONSTRAINT revaluation_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES t_baseline.journal_entry(id);
ALTER TABLE ONLY t_baseline.settings
    ADD CONSTRAINT settings_logo_id_fkey FOREIGN KEY (logo_id) REFERENCES t_baseline.file(id);
ALTER TABLE ONLY t_baseline.subscription
    ADD CONSTRAINT subscription_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES t_baseline.party(id);
ALTER TABLE ONLY t_baseline.subscription_item
    ADD CONSTRAINT subscription_item_document_id_fkey FOREIGN KEY (document_id) REFERENCES t_baseline.document(id);
ALTER TABLE ONLY t_baseline.subscription_item
    ADD CONSTRAINT subscription_item_product_id_fkey FOREIGN KEY (product_id) REFERENCES t_baseline.product(id);
ALTER TABLE ONLY t_baseline.subscription_item
    ADD CONSTRAINT subscription_item_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES t_baseline.subscription(id);
ALTER TABLE ONLY t_baseline.subscription_period
    ADD CONSTRAINT subscription_period_document_id_fkey FOREIGN KEY (document_id) REFERENCES t_baseline.document(id);
ALTER TABLE ONLY t_baseline.subscription_period
    ADD CONSTRAINT subscription_period_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES t_baseline.subscription(id);
ALTER TABLE ONLY t_baseline.tax_group_rate
    ADD CONSTRAINT tax_group_rate_group_id_fkey FOREIGN KEY (group_id) REFERENCES t_baseline.tax_rate(id);
ALTER TABLE ONLY t_baseline.tax_group_rate
    ADD CONSTRAINT tax_group_rate_tax_rate_id_fkey FOREIGN KEY (tax_rate_id) REFERENCES t_baseline.tax_rate(id);
ALTER TABLE ONLY t_baseline.tax_percent
    ADD CONSTRAINT tax_percent_tax_rate_id_fkey FOREIGN KEY (tax_rate_id) REFERENCES t_baseline.tax_rate(id);
ALTER TABLE ONLY t_baseline.tax_rate
    ADD CONSTRAINT tax_rate_account_id_fkey FOREIGN KEY (account_id) REFERENCES t_baseline.account(id);
ALTER TABLE ONLY t_baseline.tax_rate
    ADD CONSTRAINT tax_rate_input_account_id_fkey FOREIGN KEY (input_account_id) REFERENCES t_baseline.account(id);
ALTER TABLE ONLY t_baseline.usage_event
    ADD CONSTRAINT usage_event_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES t_baseline.subscription(id);
ALTER TABLE ONLY t_baseline.webhook_delivery
    ADD CONSTRAINT webhook_delivery_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES t_baseline.webhook_endpoint(id);
GRANT USAGE ON SCHEMA t_baseline TO t_baseline;
REVOKE ALL ON FUNCTION t_baseline.check_document_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION t_baseline.check_document_erasure() FROM PUBLIC;
REVOKE ALL ON FUNCTION t_baseline.check_document_part_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION t_baseline.check_entry_lines() FROM PUBLIC;
REVOKE ALL ON FUNCTION t_baseline.check_entry_period() FROM PUBLIC;
REVOKE ALL ON FUNCTION t_baseline.check_line_balance() FROM PUBLIC;
REVOKE ALL ON FUNCTION t_baseline.check_line_entry() FROM PUBLIC;
REVOKE ALL ON FUNCTION t_baseline.check_period_change() FROM PUBLIC;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.account TO t_baseline;
GRANT SELECT,INSERT ON TABLE t_baseline.audit_log TO t_baseline;
GRANT SELECT,INSERT,DELETE ON TABLE t_baseline.audit_private TO t_baseline;
GRANT SELECT,INSERT ON TABLE t_baseline.bank_line TO t_baseline;
GRANT UPDATE(how) ON TABLE t_baseline.bank_line TO t_baseline;
GRANT UPDATE(entry_id) ON TABLE t_baseline.bank_line TO t_baseline;
GRANT UPDATE(rule_id) ON TABLE t_baseline.bank_line TO t_baseline;
GRANT UPDATE(statement_id) ON TABLE t_baseline.bank_line TO t_baseline;
GRANT UPDATE(version) ON TABLE t_baseline.bank_line TO t_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE t_baseline.bank_rule TO t_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE t_baseline.bank_statement TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.collection TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.contact TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.counter TO t_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE t_baseline.credit_allocation TO t_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE t_baseline.document TO t_baseline;
GRANT SELECT,INSERT,DELETE ON TABLE t_baseline.document_line TO t_baseline;
GRANT SELECT,INSERT,DELETE ON TABLE t_baseline.document_tax TO t_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE t_baseline.exchange_rate TO t_baseline;
GRANT SELECT,INSERT,DELETE ON TABLE t_baseline.file TO t_baseline;
GRANT UPDATE(size) ON TABLE t_baseline.file TO t_baseline;
GRANT UPDATE(digest) ON TABLE t_baseline.file TO t_baseline;
GRANT UPDATE(mailed) ON TABLE t_baseline.file TO t_baseline;
GRANT UPDATE(state) ON TABLE t_baseline.file TO t_baseline;
GRANT UPDATE(rows_done) ON TABLE t_baseline.file TO t_baseline;
GRANT UPDATE(rows_all) ON TABLE t_baseline.file TO t_baseline;
GRANT UPDATE(problem) ON TABLE t_baseline.file TO t_baseline;
GRANT UPDATE(moved_at) ON TABLE t_baseline.file TO t_baseline;
GRANT UPDATE(expires_at) ON TABLE t_baseline.file TO t_baseline;
GRANT SELECT,INSERT,DELETE ON TABLE t_baseline.file_piece TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.gateway_account TO t_baseline;
GRANT SELECT,INSERT ON TABLE t_baseline.gateway_movement TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.idempotency_key TO t_baseline;
GRANT SELECT ON TABLE t_baseline.journal_entry TO t_baseline;
GRANT INSERT(id) ON TABLE t_baseline.journal_entry TO t_baseline;
GRANT INSERT(number) ON TABLE t_baseline.journal_entry TO t_baseline;
GRANT INSERT(date) ON TABLE t_baseline.journal_entry TO t_baseline;
GRANT INSERT(description) ON TABLE t_baseline.journal_entry TO t_baseline;
GRANT INSERT(source_kind) ON TABLE t_baseline.journal_entry TO t_baseline;
GRANT INSERT(source_id) ON TABLE t_baseline.journal_entry TO t_baseline;
GRANT INSERT(reverses_id) ON TABLE t_baseline.journal_entry TO t_baseline;
GRANT INSERT(posted_at) ON TABLE t_baseline.journal_entry TO t_baseline;
GRANT INSERT(posted_by) ON TABLE t_baseline.journal_entry TO t_baseline;
GRANT SELECT,INSERT ON TABLE t_baseline.journal_line TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.mailing TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.member TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.party TO t_baseline;
GRANT SELECT,INSERT ON TABLE t_baseline.payment TO t_baseline;
GRANT UPDATE(base_rate) ON TABLE t_baseline.payment TO t_baseline;
GRANT UPDATE(unrealised) ON TABLE t_baseline.payment TO t_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE t_baseline.payment_allocation TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.payment_intent TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.payment_method TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.product TO t_baseline;
GRANT SELECT,INSERT ON TABLE t_baseline.revaluation TO t_baseline;
GRANT UPDATE(replaced_at) ON TABLE t_baseline.revaluation TO t_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE t_baseline.role TO t_baseline;
GRANT SELECT,INSERT ON TABLE t_baseline.seal TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.settings TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.subscription TO t_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE t_baseline.subscription_item TO t_baseline;
GRANT SELECT,INSERT ON TABLE t_baseline.subscription_period TO t_baseline;
GRANT SELECT,INSERT,DELETE ON TABLE t_baseline.tax_group_rate TO t_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE t_baseline.tax_percent TO t_baseline;
GRANT SELECT,INSERT,UPDATE ON TABLE t_baseline.tax_rate TO t_baseline;
GRANT SELECT,INSERT ON TABLE t_baseline.usage_event TO t_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE t_baseline.webhook_delivery TO t_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE t_baseline.webhook_endpoint TO t_baseline;
