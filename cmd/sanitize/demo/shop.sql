CREATE TABLE customers (
  id            INTEGER PRIMARY KEY,
  email         VARCHAR(254) NOT NULL UNIQUE,
  full_name     TEXT NOT NULL,
  phone         VARCHAR(32),
  born_on       DATE,
  country       CHAR(2),
  referred_by   INTEGER REFERENCES customers (id),
  password_hash TEXT NOT NULL,
  prefs         JSON,
  notes         TEXT,
  created_at    TIMESTAMP NOT NULL UNIQUE
);
CREATE TABLE addresses (
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  kind        TEXT NOT NULL CHECK (kind IN ('home', 'work', 'other')),
  street      TEXT,
  city        TEXT,
  postcode    VARCHAR(12),
  PRIMARY KEY (customer_id, kind)
) WITHOUT ROWID;
CREATE TABLE products (
  sku         TEXT PRIMARY KEY,
  name        TEXT NOT NULL,
  price_cents INTEGER NOT NULL CHECK (price_cents > 0)
);
CREATE TABLE orders (
  id          INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  placed_at   TIMESTAMP NOT NULL,
  state       TEXT NOT NULL,
  gift_note   TEXT
);
CREATE TABLE items (
  order_id    INTEGER NOT NULL REFERENCES orders (id),
  line        INTEGER NOT NULL,
  sku         TEXT NOT NULL REFERENCES products (sku),
  quantity    INTEGER NOT NULL DEFAULT 1,
  price_cents INTEGER NOT NULL,
  total_cents INTEGER GENERATED ALWAYS AS (quantity * price_cents) STORED,
  PRIMARY KEY (order_id, line)
);
-- The key's columns stand in another order than in the table that it points to.
CREATE TABLE returns (
  id       INTEGER PRIMARY KEY,
  line     INTEGER NOT NULL,
  order_id INTEGER NOT NULL,
  reason   TEXT,
  FOREIGN KEY (line, order_id) REFERENCES items (line, order_id)
);
-- The payer is known by address: a foreign key to a unique column that is not the primary key.
CREATE TABLE payments (
  id           INTEGER PRIMARY KEY,
  order_id     INTEGER NOT NULL REFERENCES orders (id),
  payer_email  VARCHAR(254) REFERENCES customers (email),
  account      VARCHAR(34),
  amount_cents INTEGER NOT NULL,
  paid_on      DATE
);
CREATE TABLE events (
  id          INTEGER PRIMARY KEY,
  customer_id INTEGER REFERENCES customers (id),
  session     TEXT NOT NULL,
  kind        TEXT NOT NULL,
  happened_at TIMESTAMP NOT NULL,
  payload     JSON
);
CREATE INDEX orders_by_customer ON orders (customer_id, placed_at);
CREATE INDEX payments_by_order ON payments (order_id);
CREATE INDEX events_by_customer ON events (customer_id);
CREATE VIEW turnover AS
  SELECT o.customer_id, count(DISTINCT o.id) AS orders, sum(i.total_cents) AS cents
  FROM orders o JOIN items i ON i.order_id = o.id GROUP BY o.customer_id;
