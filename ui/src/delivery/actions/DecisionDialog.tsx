import { Alert, Field, Stack, Text, Textarea } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { type DeliveryHeader, useReadAgain } from "../useHeader";
import { WhatLeaves } from "./WhatLeaves";

/** Characters of a comment that the API takes. */
const MOST = 500;

type Props = {
  header: DeliveryHeader;
  /** Of the content that the person looked at. */
  fingerprint: string;
  decision: "send" | "reject";
  onClose: () => void;
};

/** Say once more what would leave, take a comment, and decide. */
export function DecisionDialog({ header, fingerprint, decision, onClose }: Props) {
  const say = useSay();
  const readAgain = useReadAgain(header.delivery);
  const [comment, setComment] = useState("");
  const call = {
    params: { path: { delivery_id: header.delivery } },
    body: { fingerprint, comment: comment.trim() },
  };
  const decide = useMutation({
    mutationFn: () =>
      decision === "send"
        ? answerOf(api.POST("/api/v1/deliveries/{delivery_id}/send", call))
        : answerOf(api.POST("/api/v1/deliveries/{delivery_id}/reject", call)),
    onSettled: readAgain,
    onSuccess: ({ told, already }) => told && !already && onClose(),
  });
  const isReject = decision === "reject";
  const done = decide.data;
  return (
    <Confirm
      isOpen
      title={say(`delivery.${decision}_title`, { label: header.label })}
      action={say(done && !done.told ? "delivery.tell_again" : `delivery.${decision}_now`)}
      palette={isReject ? "orange" : "blue"}
      isBusy={decide.isPending}
      isDisabled={(isReject && comment.trim() === "") || done?.told === true}
      onConfirm={() => decide.mutate()}
      onClose={onClose}
    >
      <Stack gap={4}>
        {!isReject && <WhatLeaves header={header} />}
        <Field.Root required={isReject}>
          <Field.Label>{say(isReject ? "delivery.reason" : "delivery.comment")}</Field.Label>
          <Textarea
            value={comment}
            maxLength={MOST}
            onChange={({ target }) => setComment(target.value)}
          />
        </Field.Root>
        <Text color="fg.muted" fontSize="sm">
          {say("delivery.some_seconds")}
        </Text>
        <div aria-live="polite">
          {done && <Outcome already={done.already} told={done.told} made={done.header.decision} />}
        </div>
        {decide.isError && (
          <Trouble error={decide.error} what={say("delivery.not_decided")} isWrite />
        )}
      </Stack>
    </Confirm>
  );
}

type OutcomeProps = { already: boolean; told: boolean; made: DeliveryHeader["decision"] };

function Outcome({ already, told, made }: OutcomeProps) {
  const say = useSay();
  const name = made?.name || made?.by || "";
  return (
    <Alert.Root status={told ? "info" : "warning"}>
      <Alert.Indicator />
      <Stack gap={1}>
        {already && <Alert.Title>{say("delivery.already", { name })}</Alert.Title>}
        {!told && <Text>{say("delivery.not_told")}</Text>}
      </Stack>
    </Alert.Root>
  );
}
