import { Button, Dialog, Portal } from "@chakra-ui/react";
import { type ReactNode, useRef } from "react";
import { useSay } from "~/words/useSay";

type Props = {
  isOpen: boolean;
  title: string;
  /** What the last button does, in words: "Stop for good". Never "OK". */
  action: string;
  palette?: "blue" | "red" | "orange";
  isBusy?: boolean;
  isDisabled?: boolean;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
};

/** Ask once more before something that cannot be undone. The focus begins on the safe button. */
export function Confirm(props: Props) {
  const say = useSay();
  const safe = useRef<HTMLButtonElement>(null);
  const close = () => props.isBusy || props.onClose();
  return (
    <Dialog.Root
      open={props.isOpen}
      onOpenChange={({ open }) => !open && close()}
      initialFocusEl={() => safe.current}
      role="alertdialog"
      scrollBehavior="inside"
    >
      <Portal>
        <Dialog.Backdrop />
        <Dialog.Positioner data-smsflow="root">
          <Dialog.Content>
            <Dialog.Header>
              <Dialog.Title>{props.title}</Dialog.Title>
            </Dialog.Header>
            <Dialog.Body>{props.children}</Dialog.Body>
            <Dialog.Footer>
              <Button ref={safe} variant="outline" disabled={props.isBusy ?? false} onClick={close}>
                {say("common.cancel")}
              </Button>
              <Button
                colorPalette={props.palette ?? "blue"}
                loading={props.isBusy ?? false}
                disabled={props.isDisabled ?? false}
                onClick={props.onConfirm}
              >
                {props.action}
              </Button>
            </Dialog.Footer>
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}
