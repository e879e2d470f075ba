import { Button, Field, NativeSelect, Stack, Table } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Empty } from "~/parts/Empty";
import { ListTable } from "~/parts/ListTable";
import { Loading } from "~/parts/Loading";
import { Count } from "~/parts/numbers";
import { Pager } from "~/parts/Pager";
import { Trouble } from "~/parts/Trouble";
import { useAddress } from "~/parts/useAddress";
import { When } from "~/parts/When";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";
import { Find } from "./Find";
import { Story } from "./Story";

type Message = components["schemas"]["LoggedMessage"];
type MessageState = Message["state"];

const STATES: readonly MessageState[] = [
  "prepared",
  "sending",
  "accepted",
  "delivered",
  "undelivered",
  "failed",
  "unknown",
  "cancelled",
  "expired",
];

/** One row per message, what became of it, and why somebody got one or not. */
export function LogTab({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  const [address, change] = useAddress();
  const [story, setStory] = useState<number | null>(null);
  const opener = useRef<Element | null>(null);
  const open = (position: number) => {
    opener.current = document.activeElement;
    setStory(position);
  };
  const close = () => {
    setStory(null);
    if (opener.current instanceof HTMLElement) {
      opener.current.focus();
    }
  };
  const state = STATES.find((each) => each === address.get("state"));
  const after = Number(address.get("after")) || 0;
  const read = useQuery({
    queryKey: ["messages", header.delivery, state, after],
    queryFn: () =>
      answerOf(
        api.GET("/api/v1/deliveries/{delivery_id}/messages/log", {
          params: {
            path: { delivery_id: header.delivery },
            query: { after, ...(state ? { state: [state] } : {}) },
          },
        }),
      ),
    refetchInterval: header.state === "sending" ? 5_000 : 30_000,
  });
  const page = read.data;
  return (
    <Stack gap={4} minW={0}>
      <Find delivery={header.delivery} onOpen={open} />
      {story !== null && <Story delivery={header.delivery} position={story} onClose={close} />}
      <Field.Root maxW="16rem">
        <Field.Label>{say("log.state")}</Field.Label>
        <NativeSelect.Root size="sm">
          <NativeSelect.Field
            value={state ?? ""}
            onChange={(event) => change({ state: event.target.value, after: null })}
          >
            <option value="">{say("log.all")}</option>
            {STATES.map((each) => (
              <option key={each} value={each}>
                {say(`log.state_${each}`)}
              </option>
            ))}
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
      </Field.Root>
      {read.error && (
        <Trouble error={read.error} what={say("log.cannot_show")} onRetry={() => read.refetch()} />
      )}
      {read.isLoading && <Loading lines={8} />}
      {page?.messages.length === 0 && (
        <Empty title={say(page.archived ? "log.archived" : "log.none")}>
          {page.archived ? page.archived.uri : say("log.none_how")}
        </Empty>
      )}
      {page && page.messages.length > 0 && <Messages rows={page.messages} onOpen={open} />}
      {page && (
        <Pager
          next={page.next}
          isFirst={after === 0}
          onNext={(next) => change({ after: next })}
          onFirst={() => change({ after: null })}
        />
      )}
    </Stack>
  );
}

const COLUMNS = [
  "position",
  "recipient",
  "phone",
  "state",
  "code",
  "parts",
  "changed",
  "reference",
  "story",
] as const;
/** The story of a message tells them too. */
const WIDE = ["code", "parts", "changed", "reference"] as const;

function Messages({ rows, onOpen }: { rows: Message[]; onOpen: (position: number) => void }) {
  const say = useSay();
  return (
    <ListTable
      label={say("log.messages")}
      columns={COLUMNS}
      head={(column) => say(`log.${column}`)}
      wide={WIDE}
    >
      {rows.map((row) => (
        <Table.Row key={row.position}>
          <Table.Cell>
            <Count value={row.position} />
          </Table.Cell>
          <Table.Cell>{row.recipient_id}</Table.Cell>
          <Table.Cell whiteSpace="nowrap">{row.phone}</Table.Cell>
          <Table.Cell whiteSpace="nowrap">{say(`log.state_${row.state}`)}</Table.Cell>
          <Table.Cell hideBelow="md">{row.code.replaceAll("_", " ") || "–"}</Table.Cell>
          <Table.Cell hideBelow="md">
            <Count value={row.parts} />
          </Table.Cell>
          <Table.Cell hideBelow="md" whiteSpace="nowrap">
            {row.changed_at ? <When at={row.changed_at} /> : "–"}
          </Table.Cell>
          <Table.Cell hideBelow="md">{row.gateway_ref || "–"}</Table.Cell>
          <Table.Cell>
            <Button
              size="xs"
              variant="outline"
              aria-label={say("log.open", { position: row.position })}
              onClick={() => onOpen(row.position)}
            >
              {say("log.story")}
            </Button>
          </Table.Cell>
        </Table.Row>
      ))}
    </ListTable>
  );
}
